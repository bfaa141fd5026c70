//! `brownout sweep EXPERIMENT`

use crate::App;
use crate::args::Sweep;
use crate::error::{Error, Exit, Result};

pub(super) fn command(args: &Sweep, _app: &mut App) -> Result<Exit> {
    Err(Error::usage(format!("sweep {}: not here yet", args.subject.name)))
}
