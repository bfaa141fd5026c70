//! `brownout histogram EXPERIMENT`

use crate::App;
use crate::args::Histogram;
use crate::error::{Error, Exit, Result};

pub(super) fn command(args: &Histogram, _app: &mut App) -> Result<Exit> {
    Err(Error::usage(format!("histogram {}: not here yet", args.subject.name)))
}
