//! PBKDF2 and RSA, off the threads of the network.

use super::error::EnrollError;

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EnrollError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| EnrollError::Interrupted)
}
