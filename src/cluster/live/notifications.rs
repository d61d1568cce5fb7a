//! The controller's one notification ConfigMap, borrowed for a run and put back.
//!
//! Only where the controller does not read notification services from a Rollout's own namespace: then there is one
//! ConfigMap for all, so runs take turns, by a lease. What was there before is kept beside the lease until it is put
//! back, by the run or by [`super::clean`].

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{lease, marks};
use crate::clock::Moment;
use crate::cluster::Trouble;

/// The ConfigMap (argo-rollouts v1.9.1, utils/record/record.go).
pub const CONFIG_MAP: &str = "argo-rollouts-notification-configmap";
/// Whose turn it is, and what was there before.
pub(super) const TURN: &str = "notifications";
/// How long to wait for one's turn.
const LIMIT: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(2);
/// How long a controller may take to hear of it: its informer's watch.
const HEARD: Duration = Duration::from_secs(2);

/// What a ConfigMap holds.
type Data = BTreeMap<String, String>;

/// Puts a policy's notification services in place, when it is this run's turn.
pub(super) async fn borrow(client: &kube::Client, run: &str, wanted: &Value) -> Result<(), Trouble> {
    turn(client, run).await?;
    let configs: Api<ConfigMap> = Api::namespaced(client.clone(), marks::CONTROLLER);
    let what = "read the notification services";
    let before = configs.get_opt(CONFIG_MAP).await.map_err(Trouble::api(what))?;
    keep(client, run, before.as_ref()).await?;
    let wanted: Data = serde_json::from_value(wanted["data"].clone()).unwrap_or_default();
    write(&configs, before.as_ref(), &wanted).await?;
    sleep(HEARD).await;
    Ok(())
}

/// Puts back what was there before this run, if it had borrowed anything, and gives the turn away.
pub(super) async fn put_back(client: &kube::Client, run: &str) -> Result<(), Trouble> {
    let what = "put back the notification services";
    let kept: Api<ConfigMap> = Api::namespaced(client.clone(), marks::HOME);
    let before = kept.get_opt(TURN).await.map_err(Trouble::api(what))?;
    if let Some(before) = before.filter(|before| is_of(&before.metadata, run)) {
        let configs: Api<ConfigMap> = Api::namespaced(client.clone(), marks::CONTROLLER);
        match before.data.as_ref().and_then(|data| data.get("before")) {
            Some(text) => {
                let data: Data = serde_json::from_str(text)
                    .map_err(kube::Error::SerdeError)
                    .map_err(Trouble::api(what))?;
                let now = configs.get_opt(CONFIG_MAP).await.map_err(Trouble::api(what))?;
                write(&configs, now.as_ref(), &data).await?;
            }
            None => gone(configs.delete(CONFIG_MAP, &DeleteParams::default()).await.map(drop), what)?,
        }
        gone(kept.delete(TURN, &DeleteParams::default()).await.map(drop), what)?;
    }
    let turn = lease::api(client).get_opt(TURN).await.map_err(Trouble::api(what))?;
    match turn.filter(|turn| is_of(&turn.metadata, run)) {
        Some(_) => gone(lease::api(client).delete(TURN, &DeleteParams::default()).await.map(drop), what),
        None => Ok(()),
    }
}

/// Waits for its turn.
async fn turn(client: &kube::Client, run: &str) -> Result<(), Trouble> {
    let what = "wait for a turn at the notification services";
    let wanted: Lease = serde_json::from_value(json!({
        "metadata": { "name": TURN, "labels": { marks::RUN: run } },
        "spec": { "holderIdentity": run },
    }))
    .map_err(kube::Error::SerdeError)
    .map_err(Trouble::api(what))?;
    let began = Instant::now();
    loop {
        match lease::api(client).create(&PostParams::default(), &wanted).await {
            Ok(_) => return Ok(()),
            Err(kube::Error::Api(status)) if status.is_already_exists() => {}
            Err(error) => return Err(Trouble::Api { what: what.to_owned(), source: error }),
        }
        let holder = lease::api(client).get_opt(TURN).await.map_err(Trouble::api(what))?;
        let holder = holder.and_then(|turn| turn.metadata.labels?.remove(marks::RUN));
        let Some(holder) = holder else { continue };
        let theirs = lease::api(client).get_opt(&holder).await.map_err(Trouble::api(what))?;
        if !theirs.is_some_and(|theirs| lease::read(&theirs, Moment::wall()).alive) {
            let missing = "a turn at the notification services".to_owned();
            let help = format!("run {holder} was killed and still has it: firedrill clean");
            return Err(Trouble::Missing { missing, help });
        }
        if began.elapsed() > LIMIT {
            let missing = "a turn at the notification services".to_owned();
            return Err(Trouble::Missing { missing, help: format!("run {holder} has had it for an hour") });
        }
        sleep(PAUSE).await;
    }
}

/// Keeps what is there, for whoever puts it back.
async fn keep(client: &kube::Client, run: &str, before: Option<&ConfigMap>) -> Result<(), Trouble> {
    let data = before.map(|before| before.data.clone().unwrap_or_default());
    let data = data.map(|data| json!({ "before": serde_json::to_string(&data).unwrap_or_default() }));
    let kept = json!({ "metadata": { "name": TURN, "labels": { marks::RUN: run } }, "data": data });
    let what = "keep the notification services of before";
    let kept: ConfigMap =
        serde_json::from_value(kept).map_err(kube::Error::SerdeError).map_err(Trouble::api(what))?;
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), marks::HOME);
    api.create(&PostParams::default(), &kept).await.map(drop).map_err(Trouble::api(what))
}

/// Makes the ConfigMap hold this and nothing else.
async fn write(configs: &Api<ConfigMap>, now: Option<&ConfigMap>, wanted: &Data) -> Result<(), Trouble> {
    let what = "write the notification services";
    if now.is_none() {
        let fresh = json!({ "metadata": { "name": CONFIG_MAP }, "data": wanted });
        let fresh =
            serde_json::from_value(fresh).map_err(kube::Error::SerdeError).map_err(Trouble::api(what))?;
        return configs.create(&PostParams::default(), &fresh).await.map(drop).map_err(Trouble::api(what));
    }
    let patch = json!({ "data": changes(now.and_then(|now| now.data.as_ref()), wanted) });
    let patched = configs.patch(CONFIG_MAP, &PatchParams::default(), &Patch::Merge(patch)).await;
    patched.map(drop).map_err(Trouble::api(what))
}

/// The merge patch from one to the other: what is not wanted is null.
fn changes(now: Option<&Data>, wanted: &Data) -> BTreeMap<String, Value> {
    let unwanted = now.into_iter().flat_map(Data::keys).map(|key| (key.clone(), Value::Null));
    unwanted.chain(wanted.iter().map(|(key, value)| (key.clone(), value.as_str().into()))).collect()
}

fn is_of(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta, run: &str) -> bool {
    metadata.labels.as_ref().and_then(|labels| labels.get(marks::RUN)).is_some_and(|of| of == run)
}

/// What is gone already is gone.
fn gone(deleted: Result<(), kube::Error>, what: &str) -> Result<(), Trouble> {
    match deleted {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        other => other.map_err(Trouble::api(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_takes_away_what_is_not_wanted() {
        let data = |pairs: &[(&str, &str)]| -> Data {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let now = data(&[("a", "1"), ("b", "2")]);
        let patch = serde_json::to_value(changes(Some(&now), &data(&[("b", "3"), ("c", "4")]))).unwrap();
        assert_eq!(patch, json!({ "a": null, "b": "3", "c": "4" }));
        assert_eq!(serde_json::to_value(changes(None, &data(&[]))).unwrap(), json!({}));
    }
}
