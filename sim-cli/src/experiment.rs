//! From a name on the command line to something that can be run.

use crate::app::App;
use crate::diagnostics;
use crate::error::{Error, Result};
use crate::library::{Found, nearest};
use crate::replay::Replay;
use sim_models::experiment::{Diagnostics, Experiment, Failed, Resolved, Sources, source_from_bytes};
use std::path::Path;

/// How an experiment is called as it stands in its file, without a variant.
pub const BASE: &str = "base";

/// An experiment that was found and understood.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What the program is called that opened it.
    pub program: String,
    /// `--max-memory`, if it was given.
    pub max_memory: Option<u64>,
    /// Where it came from.
    pub found: Found,
    /// What it says.
    pub experiment: Experiment,
}

/// One run of it.
#[derive(Debug)]
pub struct Prepared {
    /// Base name of the experiment.
    pub name: String,
    /// The variant, if not the base.
    pub variant: Option<String>,
    /// What was set from outside, without the seed.
    pub set: Vec<(String, String)>,
    /// The seed.
    pub seed: u64,
    /// Whether the seed is another than the file's.
    pub reseeded: bool,
    /// The run.
    pub resolved: Resolved,
    /// How to do it again.
    pub replay: Replay,
}

impl Opened {
    /// One run of it: a variant that it has, with values set from outside on top. Needs no terminal, so that a
    /// search can decide on any thread what to run next.
    pub fn prepare(
        &self,
        dir: Option<&Path>,
        variant: Option<&str>,
        set: &[(String, String)],
        seed: Option<u64>,
    ) -> Result<Prepared, Failed> {
        let resolved = self.experiment.with(variant, set)?;
        let own_seed = resolved.run.seed;
        let seed = seed.unwrap_or(own_seed);
        let replay = Replay {
            program: self.program.clone(),
            dir: dir.map(Path::to_path_buf),
            experiment: self.found.argument.clone(),
            variant: variant.map(String::from),
            set: set.to_vec(),
            seed,
            max_memory: self.max_memory,
        };
        Ok(Prepared {
            name: self.found.name.clone(),
            variant: variant.map(String::from),
            set: set.to_vec(),
            seed,
            reseeded: seed != own_seed,
            resolved,
            replay,
        })
    }
}

impl App<'_> {
    /// An experiment that was read.
    pub fn opened(&self, found: Found, experiment: Experiment) -> Opened {
        let max_memory = self.global.max_memory;
        Opened { program: self.program.clone(), max_memory, found, experiment }
    }

    /// Finds and reads an experiment to run one variant of it with values set from outside; warnings about that go to stderr.
    pub fn open(
        &mut self,
        argument: &str,
        variant: Option<&str>,
        set: &[(String, String)],
    ) -> Result<Opened> {
        let found = self.find(argument)?;
        if set.is_empty() {
            return self.read(found, |warnings| warnings.of(variant));
        }
        let opened = self.read_with(found, set, |_| Diagnostics::new())?;
        // What is doubtful may be so because of what is set, or no longer. What is wrong is told when that is run.
        let (doubts, sources) = opened.experiment.doubts(variant, set);
        self.warn(&doubts, &sources);
        Ok(opened)
    }

    /// Finds and reads an experiment to run all of it, with values set from outside; warnings go to stderr.
    pub fn open_all(&mut self, argument: &str, set: &[(String, String)]) -> Result<Opened> {
        let found = self.find(argument)?;
        self.read_with(found, set, |warnings| warnings)
    }

    /// The same for a sweep, which checks its cells itself: those of the file are not looked at.
    pub fn open_unswept(&mut self, argument: &str) -> Result<Opened> {
        let found = self.find(argument)?;
        let (experiment, warnings) =
            self.understand_unswept(&found).map_err(|failed| self.invalid(&failed))?;
        self.warn(&warnings, experiment.sources());
        Ok(self.opened(found, experiment))
    }

    /// Reads an experiment that was found; such warnings go to stderr.
    pub fn read(&mut self, found: Found, such: impl Fn(Diagnostics) -> Diagnostics) -> Result<Opened> {
        self.read_with(found, &[], such)
    }

    /// The same. What is wrong with the file may be mended by what is set, as the name of a file that is not there.
    fn read_with(
        &mut self,
        found: Found,
        set: &[(String, String)],
        such: impl Fn(Diagnostics) -> Diagnostics,
    ) -> Result<Opened> {
        let read = self.understand(&found, &[]).or_else(|failed| match set {
            [] => Err(failed),
            set => self.understand(&found, set).map_err(|_| failed),
        });
        match read {
            Ok((experiment, warnings)) => {
                self.warn(&such(warnings), experiment.sources());
                Ok(self.opened(found, experiment))
            }
            Err(failed) => Err(self.invalid(&failed)),
        }
    }

    /// What a file says with these values set, and what is doubtful about it; or why it cannot be run.
    pub fn understand(
        &self,
        found: &Found,
        set: &[(String, String)],
    ) -> Result<(Experiment, Diagnostics), Failed> {
        self.understood(found, |name, text| {
            Experiment::parse_beside(name, text, &found.folder(), set, &self.catalog)
        })
    }

    /// The same without the points of its sweep.
    pub fn understand_unswept(&self, found: &Found) -> Result<(Experiment, Diagnostics), Failed> {
        self.understood(found, |name, text| {
            Experiment::parse_unswept(name, text, &found.folder(), &self.catalog)
        })
    }

    fn understood<T>(
        &self,
        found: &Found,
        parse: impl Fn(&str, &str) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        match source_from_bytes(&found.bytes) {
            Ok(text) => parse(&found.shown, &text),
            Err(diagnostic) => {
                let mut sources = Sources::default();
                sources.add(found.shown.as_str(), String::from_utf8_lossy(&found.bytes));
                let mut diagnostics = Diagnostics::new();
                diagnostics.push(*diagnostic);
                Err(Failed { sources, diagnostics })
            }
        }
    }

    /// Says what is doubtful.
    pub fn warn(&mut self, warnings: &Diagnostics, sources: &Sources) {
        if !warnings.is_empty() {
            let shown = self.rendered(warnings, sources);
            self.console.note(&shown);
        }
    }

    /// One run of an experiment: a variant, with values set from outside on top.
    pub fn prepare(
        &self,
        opened: &Opened,
        variant: Option<&str>,
        set: &[(String, String)],
        seed: Option<u64>,
    ) -> Result<Prepared> {
        let variant = self.variant(opened, variant)?;
        opened.prepare(self.global.dir.as_deref(), variant, set, seed).map_err(|failed| self.invalid(&failed))
    }

    /// The variant of that name; none for the base. Another name is a mistake on the command line.
    pub fn variant<'n>(&self, opened: &Opened, name: Option<&'n str>) -> Result<Option<&'n str>> {
        let Some(name) = name else { return Ok(None) };
        let names: Vec<&str> = opened.experiment.variant_names().collect();
        if names.contains(&name) {
            return Ok(Some(name));
        }
        if name == BASE {
            return Ok(None);
        }
        let shown = crate::text::escape(name);
        let message = format!("the experiment {} has no variant `{shown}`", opened.found.name);
        let help = match nearest(name, names.iter().map(|name| (*name).to_string())) {
            Some(near) => format!("  did you mean `{near}`?"),
            None if names.is_empty() => "  it has no variants".into(),
            None => format!("  it has: {BASE}, {}", names.join(", ")),
        };
        Err(Error::Usage { message, help })
    }

    /// Problems as an error.
    pub fn invalid(&self, failed: &Failed) -> Error {
        Error::Invalid { rendered: self.rendered(&failed.diagnostics, &failed.sources) }
    }

    fn rendered(&self, diagnostics: &Diagnostics, sources: &Sources) -> String {
        diagnostics::render(diagnostics, sources, self.console.stderr_color(), self.console.stderr_width())
    }
}
