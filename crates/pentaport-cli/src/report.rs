//! `pentaport report`: what `compare --save` wrote, as text again, or several of them side by side.

use crate::compare::{Format, MOST, Report, SCHEMA, side_by_side, text, write_csv};
use crate::failure::Failure;
use crate::output;
use anyhow::bail;
use clap::ValueEnum;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// Show runs that `compare --save` wrote: one as `compare` printed it, several side by side.
///
/// Side by side, each run is compared with the first: of two versions, machines or systems.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Files that `compare --save` wrote.
    #[arg(value_name = "FILE", required = true, num_args = 1..)]
    files: Vec<PathBuf>,
    /// How to write it.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    format: FormatName,
}

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// For a terminal.
    Text,
    /// For a document.
    Markdown,
    /// A line for each run.
    Csv,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.files.len() > MOST {
        bail!(Failure::new(format!("{} files are too many", arguments.files.len()), format!("give {MOST} at most")));
    }
    let reports = arguments.files.iter().map(|file| read(file)).collect::<anyhow::Result<Vec<_>>>()?;
    let reports: Vec<&Report> = reports.iter().collect();
    let format = match arguments.format {
        FormatName::Text => Format::Text,
        FormatName::Markdown => Format::Markdown,
        FormatName::Csv => return output::write(write_csv(&reports)?),
    };
    match reports[..] {
        [only] => output::write(text(only, format)),
        _ => output::write(side_by_side(&reports, format)),
    }
}

/// Reads a file that `compare --save` wrote.
pub(crate) fn read(file: &Path) -> anyhow::Result<Report> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    let name = file.display();
    let hint = "it has to be a file that `pentaport compare --save FILE` wrote";
    let json = fs::read_to_string(file).map_err(|error| Failure::new(format!("cannot read {name}: {error}"), hint))?;
    let cannot_be_read = |error: serde_json::Error| Failure::new(format!("{name} is no saved run: {error}"), hint);
    let Version { schema } = serde_json::from_str(&json).map_err(cannot_be_read)?;
    if schema != SCHEMA {
        bail!(Failure::new(
            format!("{name} has schema version {schema}, and this program reads {SCHEMA}"),
            "read it by the version of pentaport that wrote it, or measure again"
        ));
    }
    Ok(serde_json::from_str(&json).map_err(cannot_be_read)?)
}
