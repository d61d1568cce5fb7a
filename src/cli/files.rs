//! Reading the files of a policy. This is rim: the policy itself never sees a file system.
//!
//! Folders are read recursively and in order of name, so that the same folder is the same policy on every machine.
//! Symbolic links to folders are not followed, hidden entries are left out, and what has to be rendered first is
//! reported rather than guessed at.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Source, Span};
use crate::yaml::{LIMITS, MAX_BYTES, TEMPLATE};

/// A file that cannot be read, or is no text.
pub const UNREADABLE: &str = "FD201";

/// A folder tree deeper than this is not somebody's manifests.
const MAX_DEPTH: usize = 32;

/// Reads these files, and all manifests in these folders.
#[must_use]
pub fn read_paths(paths: &[PathBuf]) -> (Vec<Arc<Source>>, Vec<Diagnostic>) {
    let mut reader = Reader::default();
    for path in paths {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => reader.folder(path, 0),
            Ok(_) => reader.file(path),
            Err(cause) => reader.unreadable(path, &cause),
        }
    }
    (reader.sources, reader.diagnostics)
}

/// The scenarios among these paths: every file that is named, and in folders every YAML file that is no Kubernetes
/// object. One that is named twice is there once.
#[must_use]
pub fn scenarios(paths: &[PathBuf]) -> (Vec<PathBuf>, Vec<Diagnostic>) {
    let mut found = vec![];
    let mut diagnostics = vec![];
    for path in paths {
        if path.is_file() {
            found.push(path.clone());
            continue;
        }
        let (sources, trouble) = read_paths(std::slice::from_ref(path));
        diagnostics.extend(trouble);
        let yaml = |name: &str| matches!(Path::new(name).extension(), Some(ending) if ending == "yaml" || ending == "yml");
        let scenarios = sources.iter().filter(|source| yaml(&source.name) && is_scenario(&source.text));
        found.extend(scenarios.map(|source| PathBuf::from(&source.name)));
    }
    let mut seen = BTreeSet::new();
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    (found, diagnostics)
}

/// Whether a text is meant as a scenario: anything that does not call itself a Kubernetes object.
#[must_use]
pub fn is_scenario(text: &str) -> bool {
    !text.trim().is_empty() && !text.lines().any(|line| line.starts_with("apiVersion:"))
}

#[derive(Default)]
struct Reader {
    sources: Vec<Arc<Source>>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn folder(&mut self, folder: &Path, depth: usize) {
        let mut entries = match list(folder) {
            Ok(entries) => entries,
            Err(cause) => return self.unreadable(folder, &cause),
        };
        entries.sort();
        if let Some(chart) = entries.iter().find(|path| named(path, "Chart.yaml")) {
            return self.unrendered(chart, "a Helm chart", "helm template");
        }
        for path in entries {
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() && depth < MAX_DEPTH => self.folder(&path, depth + 1),
                Ok(_) if is_kustomization(&path) => {
                    self.unrendered(&path, "a kustomization", "kustomize build")
                }
                Ok(_) if is_manifest(&path) && path.is_file() => self.file(&path),
                Ok(_) => {}
                Err(cause) => self.unreadable(&path, &cause),
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let size = fs::metadata(path).map_or(0, |found| found.len());
        if size > u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) {
            let title = format!("`{}` is larger than {} MiB", path.display(), MAX_BYTES / 1024 / 1024);
            return self.diagnostics.push(Diagnostic::error(LIMITS, title));
        }
        match fs::read(path) {
            Ok(bytes) => self.text(path, bytes),
            Err(cause) => self.unreadable(path, &cause),
        }
    }

    fn text(&mut self, path: &Path, bytes: Vec<u8>) {
        let name = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(text) => self.sources.push(Arc::new(Source { name, text })),
            Err(cause) => {
                let valid = cause.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(cause.as_bytes()).into_owned();
                let end = valid + text[valid..].chars().next().map_or(0, char::len_utf8);
                let at = Span { source: Arc::new(Source { name, text }), range: valid..end };
                let diagnostic = Diagnostic::error(UNREADABLE, "this file is not UTF-8")
                    .at(at, "this byte is no text")
                    .help("save the file as UTF-8");
                self.diagnostics.push(diagnostic);
            }
        }
    }

    fn unreadable(&mut self, path: &Path, cause: &io::Error) {
        let title = format!("cannot read `{}`: {cause}", path.display());
        self.diagnostics.push(Diagnostic::error(UNREADABLE, title));
    }

    fn unrendered(&mut self, path: &Path, what: &str, tool: &str) {
        let title = format!("`{}` is {what}, which has to be rendered first", path.display());
        let help = format!("give firedrill the output of `{tool}`");
        self.diagnostics.push(Diagnostic::warning(TEMPLATE, title).help(help));
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let entries: io::Result<Vec<PathBuf>> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    Ok(entries?.into_iter().filter(|path| !hidden(path)).collect())
}

fn named(path: &Path, name: &str) -> bool {
    path.file_name().is_some_and(|found| found == name)
}

fn is_kustomization(path: &Path) -> bool {
    ["kustomization.yaml", "kustomization.yml", "Kustomization"].iter().any(|name| named(path, name))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &[u8])]) -> Folder {
            let root = std::env::temp_dir().join(format!("firedrill-files-{name}-{}", std::process::id()));
            for (path, bytes) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, bytes).unwrap();
            }
            Folder(root)
        }

        fn read(&self) -> (Vec<String>, Vec<&'static str>) {
            let (sources, diagnostics) = read_paths(std::slice::from_ref(&self.0));
            let relative = |source: &Arc<Source>| {
                let path = Path::new(&source.name).strip_prefix(&self.0).unwrap();
                path.display().to_string()
            };
            (sources.iter().map(relative).collect(), diagnostics.iter().map(|found| found.code).collect())
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn folders_are_read_in_order_and_only_for_manifests() {
        let files: &[(&str, &[u8])] = &[
            ("b.yaml", b"b: 1"),
            ("a/z.yml", b""),
            ("c.json", b"{}"),
            ("README.md", b""),
            (".git/x.yaml", b""),
        ];
        let folder = Folder::new("order", files);
        assert_eq!(folder.read(), (vec!["a/z.yml".into(), "b.yaml".into(), "c.json".into()], vec![]));
    }

    #[test]
    fn a_scenario_named_twice_is_there_once() {
        let folder = Folder::new("twice", &[("a.yaml", b"name: a"), ("b/c.yaml", b"name: c")]);
        let (all, part, again) = (&folder.0, folder.0.join("b"), folder.0.join("b/../a.yaml"));
        let (found, _) = scenarios(&[again.clone(), all.clone(), part]);
        assert_eq!(found, [again, all.join("b/c.yaml")]);
    }

    #[test]
    fn what_must_be_rendered_is_reported() {
        let files: &[(&str, &[u8])] = &[
            ("base/kustomization.yaml", b""),
            ("base/a.yaml", b""),
            ("chart/Chart.yaml", b""),
            ("chart/templates/a.yaml", b""),
        ];
        let folder = Folder::new("render", files);
        assert_eq!(folder.read(), (vec!["base/a.yaml".into()], vec![TEMPLATE, TEMPLATE]));
    }

    #[test]
    fn bytes_that_are_no_text_are_pointed_at() {
        let folder = Folder::new("utf8", &[("a.yaml", b"ok: 1\nbad: \xff\xfe\n")]);
        let (_, diagnostics) = read_paths(&[folder.0.join("a.yaml")]);
        let (span, _) = diagnostics[0].primary.as_ref().unwrap();
        assert_eq!(span.line_column(), (2, 6));
        assert!(crate::diag::render(&diagnostics, false).contains("this byte is no text"));
    }

    #[test]
    fn a_missing_file_is_an_error() {
        let (_, diagnostics) = read_paths(&["no/such/file.yaml".into()]);
        assert_eq!(diagnostics[0].code, UNREADABLE);
        assert!(diagnostics[0].title.starts_with("cannot read `no/such/file.yaml`"));
    }
}
