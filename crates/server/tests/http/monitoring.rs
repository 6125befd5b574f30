//! Names of metrics in documents, dashboard and alerts, compared with those that a server has; and all of them checked by
//! Prometheus's own tool. That is skipped where there is none, unless `DSKPP_PEER_CHECKS=required`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dskpp_server::config::{FileSink, SinkSection};
use serde_json::Value;

use crate::metrics::exposition;
use crate::support::Server;

fn place(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(place(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// Names and types of a server's metrics, and the labels of each but `le`.
fn of_server(exposition: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let types = exposition.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut all: BTreeMap<_, _> =
        types.map(|(name, kind)| (name.to_owned(), (kind.to_owned(), BTreeSet::new()))).collect();
    for line in exposition.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, labels)) = line.split_once('{') else { continue };
        let (labels, _) = labels.split_once('}').unwrap();
        let labels = labels.split(',').map(|label| label.split('=').next().unwrap().to_owned());
        let (_, of_metric) = all.get_mut(family(name)).unwrap();
        of_metric.extend(labels.filter(|label| label != "le"));
    }
    all
}

/// The metric of a series: without what a histogram appends.
fn family(series: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|end| series.strip_suffix(end)).unwrap_or(series)
}

/// The metrics that an expression names.
fn named(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| ["dskpp_", "process_"].iter().any(|prefix| word.starts_with(prefix))).map(family).collect()
}

/// Every expression of the dashboard, with an interval in the place of Grafana's variables.
fn expressions_of_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&text("packaging/monitoring/dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let expression = |target: &Value| target["expr"].as_str().unwrap().to_owned();
    targets.map(expression).map(|text| text.replace("$__rate_interval", "5m").replace("$instance", ".*")).collect()
}

async fn exposition_of_a_server_over_tls() -> String {
    let server = Server::start_with(|config| {
        config.metrics.listen = Some("127.0.0.1:0".parse().unwrap());
        config.server.http = false;
        let file = config.server.data_dir.join("duo.csv");
        config.sink = vec![SinkSection::CsvDuo(FileSink { name: "duo".into(), file })];
    })
    .await;
    // One answer, so that there is a response to count.
    let plain = reqwest::get(format!("http://{}/", server.running.address())).await;
    assert!(plain.is_err(), "it speaks TLS");
    let ca = std::fs::read(server.running.ca_file().unwrap()).unwrap();
    let ca = reqwest::Certificate::from_pem(&ca).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
    let url = format!("https://127.0.0.1:{}/healthz", server.running.address().port());
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
    exposition(&server).await
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_dashboard_and_alerts_name_the_servers_metrics() {
    let exposition = exposition_of_a_server_over_tls().await;
    let metrics = of_server(&exposition);
    let documented = text("docs/monitoring.md");
    let rows = documented.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| `")?.split('|').map(|cell| cell.trim().replace('`', "")).collect();
        let is_metric = ["dskpp_", "process_"].iter().any(|prefix| cells[0].starts_with(prefix));
        let labels = || cells[2].split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned);
        is_metric.then(|| (cells[0].clone(), (cells[1].clone(), labels().collect::<BTreeSet<_>>())))
    });
    assert_eq!(
        rows.collect::<BTreeMap<_, _>>(),
        metrics,
        "docs/monitoring.md has them all, with their types and labels"
    );

    let alerts = text("packaging/monitoring/alerts.yml");
    let expressions = expressions_of_dashboard();
    assert!(expressions.len() > 30, "{} expressions", expressions.len());
    let mut used = BTreeSet::new();
    for (file, expression) in expressions.iter().map(|text| ("dashboard.json", text)).chain([("alerts.yml", &alerts)]) {
        for name in named(expression) {
            assert!(metrics.contains_key(name), "{file}: the server has no metric {name}");
            used.insert(name);
        }
    }
    let of_server = metrics.keys().filter(|name| name.starts_with("dskpp_")).map(String::as_str);
    let unused: Vec<_> = of_server.filter(|name| !used.contains(name)).collect();
    assert_eq!(unused, ["dskpp_counted_timestamp_seconds"], "nobody looks at the others");
    for line in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(documented.contains(&format!("| `{line}` |")), "docs/monitoring.md says nothing about {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_accepts_metrics_alerts_and_dashboard() {
    if Command::new("promtool").arg("--version").output().is_err() {
        let is_required = std::env::var("DSKPP_PEER_CHECKS").as_deref() == Ok("required");
        assert!(!is_required, "promtool is missing: install the package prometheus");
        eprintln!("skipped: there is no promtool");
        return;
    }
    let exposition = exposition_of_a_server_over_tls().await;
    assert_eq!(promtool(&["check", "metrics"], &exposition), "", "no complaint");
    for (args, file) in [
        (&["check", "rules"][..], "packaging/monitoring/alerts.yml"),
        (&["test", "rules"], "packaging/monitoring/alerts.test.yml"),
        (&["check", "config"], "packaging/monitoring/prometheus.yml"),
    ] {
        promtool(&[args, &[place(file).to_str().unwrap()]].concat(), "");
    }
    // The dashboard's expressions, as rules.
    let folder = tempfile::tempdir().unwrap();
    let mut rules = "groups:\n- name: dashboard\n  rules:\n".to_owned();
    for (number, expression) in expressions_of_dashboard().iter().enumerate() {
        let expression = serde_json::to_string(expression).unwrap();
        rules += &format!("  - record: expression_{number}\n    expr: {expression}\n");
    }
    std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
    promtool(&["check", "rules", folder.path().join("rules.yml").to_str().unwrap()], "");
}

/// What the tool complains of; it must succeed.
fn promtool(args: &[&str], input: &str) -> String {
    let mut command = Command::new("promtool");
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "promtool {args:?}: {said}");
    said
}
