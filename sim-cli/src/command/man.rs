//! `brownout man`: the top page, then one section per command.

use crate::App;
use crate::error::{Exit, Result};

pub(super) fn command(app: &mut App) -> Result<Exit> {
    let mut page = Vec::new();
    let mut command_line = crate::command_line();
    command_line.build();
    clap_mangen::Man::new(command_line.clone()).render(&mut page).expect("writing to memory");
    for subcommand in command_line.get_subcommands() {
        let name = subcommand.get_bin_name().unwrap_or(subcommand.get_name()).to_uppercase();
        page.extend_from_slice(format!(".SH \"{name}\"\n").as_bytes());
        let section = clap_mangen::Man::new(subcommand.clone());
        section.render_description_section(&mut page).expect("writing to memory");
        section.render_options_section(&mut page).expect("writing to memory");
        section.render_extra_section(&mut page).expect("writing to memory");
    }
    app.console.document(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Good)
}
