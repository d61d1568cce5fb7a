//! The drill ground, the program on it, and what lies on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DynamicObject, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::discovery::{Discovery, Scope, verbs};

static WHOLE: RwLock<()> = RwLock::new(());

/// A place among others: nobody breaks the ground meanwhile.
pub(crate) fn share() -> RwLockReadGuard<'static, ()> {
    let place = WHOLE.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    until_whole();
    place
}

/// The ground alone, for whoever breaks it.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    let ground = WHOLE.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    until_whole();
    ground
}

/// Waits until the ground's own programs are there again. A controller whose API server has gone away ends, and the more
/// often it did, the longer the kubelet lets it wait: five minutes at most.
pub(crate) fn until_whole() {
    let began = Instant::now();
    loop {
        let absent = absent();
        if absent.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(330), "the ground is not whole: {absent:?}");
        sleep(Duration::from_secs(1));
    }
}

/// The Deployments that lack a pod, of those that every drill needs.
fn absent() -> Vec<String> {
    with_client(async |client| {
        let mut absent = vec![];
        for namespace in ["argo-rollouts", "monitoring"] {
            let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
            for deployment in deployments.list(&ListParams::default()).await.unwrap() {
                let status = deployment.status.unwrap_or_default();
                if status.available_replicas.is_none() || status.available_replicas != status.replicas {
                    absent.push(format!("{namespace}/{}", deployment.metadata.name.unwrap()));
                }
            }
        }
        absent
    })
}

/// The context of the drill ground.
pub(crate) fn context() -> String {
    std::env::var("FIREDRILL_CONTEXT").expect("FIREDRILL_CONTEXT names the context of a drill ground")
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of its own, removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("firedrill-live-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    /// A scenario of this name that is over within a minute or so, in a namespace that is called after it.
    pub(crate) fn quick(&self, name: &str) -> PathBuf {
        let from = root().join("tests/live/scenarios");
        let policy = fs::read_to_string(from.join("policy/quick.yaml")).unwrap();
        self.write(
            "policy/quick.yaml",
            &policy.replace(
                "metadata:\n  name: quick\n",
                &format!("metadata:\n  namespace: {name}\n  name: quick\n"),
            ),
        );
        let scenario = fs::read_to_string(from.join("quick.yaml")).unwrap();
        self.write("quick.yaml", &scenario.replace("name: quick", &format!("name: {name}")))
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The program, with these arguments. Another build of it can be named: one for debugging takes ten times the processor
/// time, and takes it from the cluster.
pub(crate) fn firedrill(args: &[&str]) -> Command {
    let program = std::env::var_os("FIREDRILL_PROGRAM");
    let mut command = Command::new(program.unwrap_or(env!("CARGO_BIN_EXE_firedrill").into()));
    command.args(args).env("NO_COLOR", "1").env_remove("FIREDRILL_LOG").stdin(Stdio::null());
    // A user of its own: the tests may do more than the program should need.
    if let Some(kubeconfig) = std::env::var_os("FIREDRILL_KUBECONFIG") {
        command.env("KUBECONFIG", kubeconfig);
    }
    command
}

/// A run on the drill ground.
pub(crate) fn drill(out: &Path, scenarios: &[PathBuf], more: &[&str]) -> Command {
    let context = context();
    let mut command = firedrill(&["run", "--on", "kube", "--context", &context]);
    command.args(more).arg("--out").arg(out).args(scenarios);
    command
}

/// What a program said and how it ended.
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) talk: String,
}

impl Said {
    pub(crate) fn of(output: Output) -> Said {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said { code: output.status.code(), out: text(output.stdout), talk: text(output.stderr) }
    }

    /// Ends the test unless the program ended so.
    pub(crate) fn expect(self, code: i32) -> Said {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.talk);
        self
    }
}

pub(crate) fn say(mut command: Command) -> Said {
    Said::of(command.output().unwrap())
}

/// A run under way, whose talk can be waited for.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn start(mut command: Command, log: PathBuf) -> Running {
        let file = fs::File::create(&log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        Running { child, log }
    }

    pub(crate) fn talk(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until the run says this.
    pub(crate) fn until(&mut self, word: &str, limit: Duration) {
        let began = Instant::now();
        while !self.talk().contains(word) {
            assert!(began.elapsed() < limit, "it never said {word:?}: {}", self.talk());
            assert!(self.child.try_wait().unwrap().is_none(), "it ended before {word:?}: {}", self.talk());
            sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Its exit code; none when a signal ended it.
    pub(crate) fn end(mut self, limit: Duration) -> (Option<i32>, String) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), self.talk());
            }
            if began.elapsed() > limit {
                self.child.kill().unwrap();
                panic!("it did not end within {limit:?}: {}", self.talk());
            }
            sleep(Duration::from_millis(100));
        }
    }
}

/// Something to be done with a client.
pub(crate) fn with_client<T>(act: impl AsyncFnOnce(kube::Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = KubeConfigOptions { context: Some(context()), ..KubeConfigOptions::default() };
        let config =
            kube::Config::from_custom_kubeconfig(Kubeconfig::read().unwrap(), &options).await.unwrap();
        act(kube::Client::try_from(config).unwrap()).await
    })
}

/// Everything that lies on the ground, by kind, namespace and name. What comes and goes by itself is left out.
pub(crate) fn inventory() -> BTreeSet<String> {
    with_client(async |client| {
        let discovery = Discovery::new(client.clone()).run().await.unwrap();
        let mut found = BTreeSet::new();
        for group in discovery.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                if !capabilities.supports_operation(verbs::LIST) || resource.kind == "Event" {
                    continue;
                }
                assert!(matches!(capabilities.scope, Scope::Cluster | Scope::Namespaced));
                let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
                let listed = api.list(&ListParams::default()).await;
                // The API server's own measurements and the like can be listed and are not there.
                for object in listed.into_iter().flatten() {
                    let namespace = object.metadata.namespace.unwrap_or_default();
                    let name = object.metadata.name.unwrap_or_default();
                    // A controller that was killed comes back under another name.
                    if resource.kind != "Pod" || namespace == "firedrill" {
                        found.insert(format!("{} {namespace}/{name}", resource.kind));
                    }
                }
            }
        }
        assert!(found.len() > 50, "a cluster has more than that: {found:?}");
        found
    })
}

/// What is there now and was not before, or the other way round, on a ground that nobody else uses.
pub(crate) fn residue(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    before.symmetric_difference(after).cloned().collect()
}

/// The runs of a scenario that have something on the ground, and whatever else is called after it.
pub(crate) fn left_of(scenario: &str) -> Vec<String> {
    let mut left: Vec<String> = runs(scenario);
    left.extend(inventory().into_iter().filter(|object| object.contains(scenario)));
    left
}

/// The runs that have something on the ground, of a scenario or of none: without its lease nobody knows of which.
pub(crate) fn runs(scenario: &str) -> Vec<String> {
    let listed = say(firedrill(&["clean", "--list", "--context", &context()])).expect(0);
    let lines = listed.out.lines().filter(|line| line.ends_with(": at work") || line.ends_with(": dead"));
    let ours = lines.filter(|line| line.contains(&format!("({scenario})")) || !line.contains('('));
    ours.filter_map(|line| Some(line.split([' ', ':']).next()?.to_owned())).collect()
}
