mod specs;
mod toy;
