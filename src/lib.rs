//! firedrill proves that a bad release is caught, undone and reported, in time, and shows the proof.
//!
//! A scenario goes in, a timeline happens, a verdict comes out. A scenario names a policy (a Rollout with its
//! Services, analyses and notifications, as their owner wrote them), a release with a fault inside, traffic, and what
//! has to happen. It is played on a cluster, and what was seen is judged.
//!
//! ```text
//!   scenarios/*.yaml     deploy/**/*.yaml               terminal · JUnit · HTML · JSON
//!         │                   │                                     ▲
//!  ┌──────▼───────────────────▼──────────── pure ───────────────────┴────────┐
//!  │  scenario ──► plan                 timeline ──► verdict ──► report      │
//!  │       argo · condition · promql · lint                                  │
//!  │       twin: store, rollouts controller, analysis, notifications, pods,  │
//!  │             prometheus, traffic: one discrete-event kernel, its own     │
//!  │             clock                                                       │
//!  └──────────────────┬────────────────────────▲─────────────────────────────┘
//!                     │ Plan                   │ Entry
//!  ┌──────────────────▼──────── effects ───────┴─────────────────────────────┐
//!  │  engine: one loop that acts on the plan and appends what it observes    │
//!  │                         │                                               │
//!  │              cluster: a kube::Client, an agent, a clock                 │
//!  │                ▲                        ▲                               │
//!  │     cluster::live               cluster::embedded                       │
//!  │     (kubeconfig, a pod)         (the twin behind the same wire)         │
//!  └─────────────────────────────────────────────────────────────────────────┘
//!    drill = one scenario from file to verdict        cli = the only one who prints
//! ```
//!
//! The seam is the wire: the engine is ordinary Kubernetes client code and never asks which world answers.
//!
//! # If you are a line of code, where do you live?
//!
//! | You … | You live in |
//! |---|---|
//! | are a key that people write, or its default | [`scenario`] |
//! | decide what will be done, and what would count as an answer | [`plan`] |
//! | know the shape of something of Argo's | [`argo`] |
//! | find a mistake by reading, before anything runs | [`lint`], one file per rule |
//! | do as Argo's controllers do | [`twin::rollouts`], [`twin::analysis`], [`twin::notifications`] |
//! | do as Kubernetes does | [`twin::store`], [`twin::pods`] and their neighbours in [`twin`] |
//! | put the twin's store into HTTP | [`cluster::embedded`] |
//! | put that HTTP on a socket, for programs that are not ours | [`cluster::served`] |
//! | set something up in a real cluster, or put it back | [`cluster::live`] |
//! | change what a plan needs for a real cluster | [`mod@plan::place`] |
//! | send real traffic, or receive a real notification | [`agent`]; what they mean, for both worlds, is there, too |
//! | evaluate what a policy's author wrote | [`condition`], [`promql`] |
//! | act on a cluster, or watch one | [`engine`] |
//! | make a fact of an observation | [`timeline`] |
//! | tell held from broken, or a proof from luck | [`verdict`] |
//! | are read by a person after a run | [`report`] |
//! | complain about input | [`diag`]; your page is in [`explain`] |
//! | read a file's text or print, or choose an exit code | [`cli`] |
//! | are the fault itself, or the server that suffers it | the crate `fake_app` |
//!
//! # What is not there
//!
//! Some promises are kept by absence, and a change that brings one of these in breaks them:
//!
//! - Nobody but [`clock`] reads the wall clock or mints chance. Everybody else is handed a [`clock::Moment`] and a
//!   [`clock::Seed`], so the same seed gives the same bytes.
//! - [`twin`] names no tokio, kube, HTTP, thread or file; only [`agent`], [`cluster`], [`engine`], [`drill`] and [`cli`] know tokio,
//!   and only [`cluster`] and [`engine`] know kube. The kernel is told the time and cannot run ahead of it.
//! - [`verdict`] and [`report`] know neither engine nor twin. A verdict is a function of what is in the folder of a run.
//! - No Kubernetes Event is evidence. [`timeline`] folds objects; Events are told and not believed.
//! - There is no hash map, whose order would differ from process to process, and no unsafe code.
//! - Nothing is ignored in silence: an unknown key, an unsupported field, a watch with a gap are all said.
//!
//! # Reading order
//!
//! The modules below stand in groups, in the order in which they are best read: the program from the outside, what people write, what
//! came of it, what is done in a world, the emulated world itself, what is known by reading alone, and the small
//! things. Within the second group begin with [`scenario`], within the third with [`timeline`]. [`drill`] shows
//! how they all meet. `firedrill explain twin` lists what the twin knowingly does differently from a cluster.

// The program, from the outside in: flags and files, then one scenario from file to verdict.
pub mod cli;
pub mod drill;

// What people write, and what becomes of it.
pub mod argo;
pub mod plan;
pub mod scenario;

// What happened, what it means, and who reads it.
pub mod report;
pub mod timeline;
pub mod verdict;

// What is done in a world, and the words it is done with.
pub mod agent;
pub mod cluster;
pub mod engine;
pub mod inbox;

// The emulated world, and the two languages that policies decide by.
pub mod condition;
pub mod promql;
pub mod twin;

// What can be known by reading alone, and the manual.
pub mod explain;
pub mod lint;

// Small things that everybody uses and that know nobody.
pub mod base64;
pub mod clock;
pub mod diag;
pub mod suggest;
pub mod yaml;
