//! What the derivations in the pool of a server cost, from its metrics.

use super::connection::Endpoint;
use super::server::Child;
use crate::output::Failure;

/// Derivations and their CPU time. Zero if it is unknown.
#[derive(Default)]
pub(super) struct PoolCost {
    cpu_ms: f64,
    derivations: f64,
}

impl PoolCost {
    /// All so far, of a server that this process started.
    pub(super) async fn of(server: Option<&Child>) -> Result<Self, Failure> {
        let Some(server) = server else { return Ok(PoolCost::default()) };
        let mut connection = Endpoint::new(&format!("http://{}/", server.metrics), None)?.connect().await?;
        let (_, body) = connection.get("/metrics").await?;
        let body = String::from_utf8_lossy(&body);
        let value = |name: &str| {
            let value = body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<f64>().ok());
            value.ok_or_else(|| Failure::new(format!("the server's metrics lack {name}")))
        };
        let cpu_ms = value("dskpp_kdf_cpu_seconds_total")? * 1e3;
        Ok(PoolCost { cpu_ms, derivations: value("dskpp_kdf_derivations_total")? })
    }

    /// What came after `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        PoolCost { cpu_ms: self.cpu_ms - before.cpu_ms, derivations: self.derivations - before.derivations }
    }

    /// CPU milliseconds of one derivation; `None` if it is unknown.
    pub(super) fn derivation_ms(&self) -> Option<f64> {
        (self.derivations > 0.0 && self.cpu_ms > 0.0).then(|| self.cpu_ms / self.derivations)
    }
}
