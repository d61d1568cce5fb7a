//! The folder of a run: everything a verdict rests on, so that it can be judged and rendered again.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Finished;
use super::prepare::Prepared;
use crate::report::{html, junit, story};

/// The folder could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file could not be written.
    #[error("cannot write {path}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A report could not be rendered.
    #[error("cannot render {what}")]
    Render {
        /// Which report.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The files of a run, by name, in order: the same run gives the same bytes.
///
/// # Errors
/// When a report cannot be rendered.
pub fn files(prepared: &Prepared, finished: &Finished) -> Result<Vec<(String, String)>, FolderError> {
    let render =
        |what| move |source: Box<dyn std::error::Error + Send + Sync>| FolderError::Render { what, source };
    let json = |what, value: serde_json::Result<String>| {
        value.map(|text| text + "\n").map_err(|e| render(what)(e.into()))
    };
    let (timeline, verdict) = (&finished.timeline, &finished.verdict);
    let page = html::render(timeline, verdict).map_err(|error| render("report.html")(error.into()))?;
    let junit = junit::render(&[verdict]).map_err(|error| render("junit.xml")(error.into()))?;
    let mut files = vec![
        (
            "criteria.json".to_owned(),
            json("criteria.json", serde_json::to_string_pretty(&finished.criteria))?,
        ),
        ("junit.xml".to_owned(), junit),
        ("plan.json".to_owned(), json("plan.json", serde_json::to_string_pretty(&finished.plan))?),
        ("report.html".to_owned(), page),
        (
            "story.txt".to_owned(),
            anstream::adapter::strip_str(&story::tell(timeline, verdict, None)).to_string(),
        ),
        ("timeline.jsonl".to_owned(), timeline.to_jsonl()),
        ("verdict.json".to_owned(), json("verdict.json", serde_json::to_string_pretty(verdict))?),
    ];
    for source in &prepared.inputs {
        files.push((format!("inputs/{}", flat(&source.name)), source.text.clone()));
    }
    let digests =
        files.iter().map(|(name, text)| format!("{}  {name}\n", hex(&Sha256::digest(text.as_bytes()))));
    let digests: String = digests.collect();
    files.push(("SHA256SUMS".to_owned(), digests));
    Ok(files)
}

/// Writes the folder, replacing the files of an earlier run of the same name.
///
/// # Errors
/// When a file cannot be written or a report cannot be rendered.
pub fn save(folder: &Path, prepared: &Prepared, finished: &Finished) -> Result<(), FolderError> {
    for (name, text) in files(prepared, finished)? {
        let path = folder.join(name);
        let write = |path: &Path| -> io::Result<()> {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)
        };
        write(&path).map_err(|source| FolderError::Write { path, source })?;
    }
    Ok(())
}

/// A path as one file name: what was read from several folders lies side by side.
fn flat(name: &str) -> String {
    let parts = name.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | ".."));
    parts.collect::<Vec<_>>().join("_")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
