//! `brownout verify`

use crate::App;
use crate::args::Verify;
use crate::error::{Error, Exit, Result};

pub(super) fn command(_args: &Verify, _app: &mut App) -> Result<Exit> {
    Err(Error::usage("not here yet"))
}
