//! `brownout man`: one page, with a section for each command.

use crate::app::App;
use crate::error::{Exit, Result};
use clap::Command;
use clap_mangen::Man;
use std::io;

pub(super) fn command(app: &mut App) -> Result<Exit> {
    let mut page = Vec::new();
    render(&mut page).expect("writing to memory");
    app.console.document(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Good)
}

fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let mut whole = crate::command::command_line();
    whole.build();
    let top = Man::new(whole.clone());
    top.render_title(page)?;
    top.render_name_section(page)?;
    top.render_synopsis_section(page)?;
    top.render_description_section(page)?;
    top.render_options_section(page)?;
    for command in whole.get_subcommands() {
        section(command, page)?;
    }
    top.render_extra_section(page)?;
    top.render_version_section(page)
}

/// Name, synopsis, own options and examples; what every command understands is said once, at the top.
fn section(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_uppercase();
    page.extend_from_slice(format!(".SH \"{name}\"\n").as_bytes());
    let own = command.clone().mut_args(|arg| if arg.is_global_set() { arg.hide(true) } else { arg });
    let man = Man::new(own);
    let mut parts = Vec::new();
    man.render_description_section(&mut parts)?;
    man.render_synopsis_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    man.render_extra_section(&mut parts)?;
    // Sections of the command become sub-sections of the page.
    page.extend_from_slice(String::from_utf8_lossy(&parts).replace(".SH ", ".SS ").as_bytes());
    Ok(())
}
