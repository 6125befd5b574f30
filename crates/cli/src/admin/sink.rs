//! Sinks, and the deliveries of keys to them.

use clap::{Args, Subcommand};
use dskpp_api::{Delivery, DeliveryQuery, DeliveryState, ListPage, Listed, SinkList, SinkTest, paths};

use super::list::{Pages, or_dash, or_unreadable, table, whole_id};
use super::{all, one_of};
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::shown::shown;

#[derive(Subcommand)]
pub(super) enum SinkCommand {
    /// List the sinks of the server's configuration
    List,
    /// Show what a sink would get of a sample key, and check that it can be reached; sends no key
    Test {
        /// The sink's name
        name: String,
    },
}

#[derive(Subcommand)]
pub(super) enum DeliveryCommand {
    /// List deliveries: what each sink has of each key, or is to have
    List {
        #[command(flatten)]
        filter: DeliveryFilter,
        #[command(flatten)]
        pages: Pages,
    },
    /// Have a delivery sent again, or all dead ones of a sink
    Retry {
        /// The delivery's id, as `admin delivery list` shows it, or how it begins
        #[arg(required_unless_present = "dead_of", conflicts_with = "dead_of")]
        id: Option<String>,
        /// All deliveries to this sink that the server has given up
        #[arg(long, value_name = "SINK")]
        dead_of: Option<String>,
    },
}

#[derive(Args)]
pub(super) struct DeliveryFilter {
    /// Only deliveries to this sink
    #[arg(long, help_heading = "Filter")]
    sink: Option<String>,
    /// Only deliveries in this state
    #[arg(long, value_parser = one_of::<DeliveryState>(DeliveryState::NAMES), help_heading = "Filter")]
    state: Option<DeliveryState>,
}

impl SinkCommand {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            SinkCommand::List => {
                let sinks: SinkList = api.get(paths::SINKS).await?;
                output.print(&sinks, || {
                    let rows = sinks.items.iter().map(|sink| {
                        let is_default = if sink.is_default { "yes" } else { "no" };
                        vec![sink.name.clone(), sink.kind.clone(), is_default.to_owned(), sink.target.clone()]
                    });
                    table(&["NAME", "KIND", "DEFAULT", "TARGET"], rows.collect())
                })
            }
            SinkCommand::Test { name } => {
                let found: SinkTest = api.post(&paths::of(paths::SINK_TEST, &name), &()).await?;
                output.print(&found, || {
                    let reached = match &found.error {
                        None => "can be reached".to_owned(),
                        Some(why) => format!("does not work: {}", shown(why)),
                    };
                    let lines = found.would_send.lines().map(|line| format!("  {}", shown(line))).collect::<Vec<_>>();
                    format!("{} would get of a sample key:\n{}\n{reached}", shown(&found.sink), lines.join("\n"))
                })?;
                if found.reached { Ok(()) } else { std::process::exit(1) }
            }
        }
    }
}

impl DeliveryCommand {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            DeliveryCommand::List { filter: DeliveryFilter { sink, state }, pages } => {
                let headings = ["ID", "STATE", "SINK", "KEY", "OPERATION", "ATTEMPTS", "NEXT", "ERROR"];
                let query = |after| DeliveryQuery { sink: sink.clone(), state, after, limit: None };
                let table = (&headings[..], or_unreadable(headings.len(), columns));
                pages.print((api, output), (paths::DELIVERIES, query), table).await
            }
            DeliveryCommand::Retry { id: Some(id), .. } => {
                let id = whole_id(api, paths::DELIVERIES, id).await?;
                let again: Delivery = api.post(&paths::of(paths::DELIVERY_RETRY, &id), &()).await?;
                output.print(&again, || line(&again))
            }
            DeliveryCommand::Retry { id: None, dead_of } => {
                let query = |after| {
                    let state = Some(DeliveryState::Dead);
                    DeliveryQuery { sink: dead_of.clone(), state, after, limit: None }
                };
                let dead: ListPage<Listed<Delivery>> = all(api, paths::DELIVERIES, query).await?;
                let mut again = ListPage { items: Vec::new(), next: None };
                for delivery in dead.items {
                    if let Listed::Readable(Delivery { id, .. }) = delivery {
                        let sent: Delivery = api.post(&paths::of(paths::DELIVERY_RETRY, &id), &()).await?;
                        again.items.push(sent);
                    }
                }
                output.print(&again, || format!("{} deliveries are sent again", again.items.len()))
            }
        }
    }
}

fn columns(delivery: &Delivery) -> Vec<String> {
    vec![
        delivery.id.clone(),
        delivery.state.to_string(),
        delivery.sink.clone(),
        delivery.key_id.clone(),
        delivery.operation.to_string(),
        delivery.attempts.to_string(),
        or_dash(delivery.next_at.as_ref()),
        or_dash(delivery.error.as_ref()),
    ]
}

/// What a sink has of a key, in one line.
pub(super) fn line(delivery: &Delivery) -> String {
    let Delivery { sink, operation, number, state, error, .. } = delivery;
    let error = error.as_ref().map(|error| format!(": {}", shown(error))).unwrap_or_default();
    format!("{:<16} {operation} {number} {state}{error}", format!("at {}", shown(sink)))
}
