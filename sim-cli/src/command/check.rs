//! `brownout check`

use crate::App;
use crate::args::Check;
use crate::error::{Error, Exit, Result};

pub(super) fn command(_args: &Check, _app: &mut App) -> Result<Exit> {
    Err(Error::usage("not here yet"))
}
