//! `dskpp admin k-server`: the key pairs under which clients encrypt their nonce.

use clap::Subcommand;
use dskpp_api::{KServer, ListPage, NewKServer, paths};

use super::delete;
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::shown::shown;

#[derive(Subcommand)]
pub(super) enum KServerCommand {
    /// List the K_SERVERs, the newest first
    List,
    /// Add a K_SERVER, which new runs take from then on; runs that have begun finish with theirs
    #[command(after_help = "All servers on the database take it up within seconds. The private CA certifies it, so \
                            that clients which know the CA ask nobody. Retire the older one afterwards.")]
    Add,
    /// Retire a K_SERVER, unless it is the last one; the server deletes it when no run can need it any more
    Retire {
        /// The K_SERVER's id, as `admin k-server list` shows it
        id: String,
    },
}

impl KServerCommand {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            KServerCommand::List => {
                let all: ListPage<KServer> = api.get(paths::K_SERVERS).await?;
                output.print(&all, || all.items.iter().map(line).collect::<Vec<_>>().join("\n"))
            }
            KServerCommand::Add => {
                let added: KServer = api.post(paths::K_SERVERS, &NewKServer {}).await?;
                output.print(&added, || {
                    format!("new runs take K_SERVER {}, {}", shown(&added.id), shown(&added.fingerprint))
                })
            }
            KServerCommand::Retire { id } => delete(api, output, "K_SERVER", paths::K_SERVER, &id).await,
        }
    }
}

fn line(k_server: &KServer) -> String {
    let since = k_server.retired_at.as_ref().or(k_server.created_at.as_ref());
    let since = since.map_or("configured", |since| since);
    format!("{:<16} {:<8} {:<20} {}", shown(&k_server.id), k_server.state, shown(since), shown(&k_server.fingerprint))
}
