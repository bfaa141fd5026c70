//! `brownout diff`

use crate::App;
use crate::args::Diff;
use crate::error::{Error, Exit, Result};

pub(super) fn command(_args: &Diff, _app: &mut App) -> Result<Exit> {
    Err(Error::usage("not here yet"))
}
