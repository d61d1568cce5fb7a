//! Tables: what `kubectl get` prints, which the server and not `kubectl` decides.

use std::time::Duration;

use serde_json::{Value, json};

use super::columns::{self, Column};
use super::read::metadata_only;
use crate::clock::Moment;
use crate::twin::store::Kind;

/// A `Table` of objects.
pub(super) fn table<'a>(
    kind: Kind,
    objects: impl IntoIterator<Item = &'a Value>,
    metadata: Value,
    include: &str,
    now: Moment,
) -> Value {
    let columns = columns::of(kind);
    let row = |object: &Value| {
        let cells: Vec<Value> = columns.iter().map(|column| (column.cell)(object, now)).collect();
        let shown = match include {
            "None" => Value::Null,
            "Object" => object.clone(),
            _ => metadata_only(object),
        };
        let mut row = json!({"cells": cells});
        if !shown.is_null() {
            row["object"] = shown;
        }
        row
    };
    let rows: Vec<Value> = objects.into_iter().map(row).collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": columns.iter().map(definition).collect::<Vec<_>>(), "rows": rows,
    })
}

fn definition(column: &Column) -> Value {
    let format = if column.name == "Name" { "name" } else { "" };
    json!({"name": column.name, "type": column.r#type, "format": format, "description": "",
           "priority": i32::from(column.wide)})
}

/// A duration as `kubectl` writes ages (k8s.io/apimachinery v0.34 `pkg/util/duration.HumanDuration`).
pub(super) fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let pair = |big: u64, unit: char, small: u64, small_unit: char| {
        if small == 0 { format!("{big}{unit}") } else { format!("{big}{unit}{small}{small_unit}") }
    };
    match () {
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => pair(minutes, 'm', seconds % 60, 's'),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => pair(hours, 'h', minutes % 60, 'm'),
        () if hours < 48 => format!("{hours}h"),
        () if hours < 24 * 8 => pair(days, 'd', hours % 24, 'h'),
        () if days < 365 * 2 => format!("{days}d"),
        () if days < 365 * 8 => pair(days / 365, 'y', days % 365, 'd'),
        () => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_kubectl_writes_them() {
        for (seconds, expected) in [
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (125, "2m5s"),
            (600, "10m"),
            (10_799, "179m"),
            (10_800, "3h"),
            (3600 * 7 + 60, "7h1m"),
            (3600 * 47, "47h"),
            (86_400 * 3 + 3600, "3d1h"),
            (86_400 * 100, "100d"),
            (86_400 * 800, "2y70d"),
            (86_400 * 4000, "10y"),
        ] {
            assert_eq!(human(Duration::from_secs(seconds)), expected);
        }
    }
}
