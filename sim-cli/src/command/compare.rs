//! `brownout compare EXPERIMENT`

use crate::App;
use crate::args::Compare;
use crate::error::{Error, Exit, Result};

pub(super) fn command(args: &Compare, _app: &mut App) -> Result<Exit> {
    Err(Error::usage(format!("compare {}: not here yet", args.subject.name)))
}
