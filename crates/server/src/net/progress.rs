//! The progress of a connection's requests, which determines its deadlines.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, task};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::config;
use crate::net::connection_limit::{NEVER, Timer};

/// Time limits for clients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For a PROXY header and a TLS handshake.
    pub(crate) handshake: Duration,
    /// For a request's headers, and between two requests.
    header: Duration,
    /// From the first octet of a request until its answer is written.
    request: Duration,
    /// To read some of an answer.
    write: Duration,
}

impl From<&config::LimitsSection> for Timeouts {
    fn from(limits: &config::LimitsSection) -> Self {
        Timeouts {
            handshake: Duration::from_secs(limits.handshake_timeout_s),
            header: Duration::from_secs(limits.header_timeout_s),
            request: Duration::from_secs(limits.request_timeout_s),
            write: Duration::from_secs(limits.write_timeout_s),
        }
    }
}

/// The connection is being established.
const HANDSHAKE: u8 = 0;
/// Between two requests.
const IDLE: u8 = 1;
/// Receiving a request.
const RECEIVING: u8 = 2;
/// Processing the request, or writing the answer.
const WORKING: u8 = 3;
/// The answer is complete, but not yet written.
const ANSWERED: u8 = 4;

/// The progress of a connection; only its own task changes it.
pub(crate) struct ConnectionProgress {
    timer: Arc<Timer>,
    timeouts: Timeouts,
    phase: AtomicU8,
    /// The deadline of the current request.
    ends: AtomicU64,
    /// Requests in a row that did not wait for the previous answer.
    pipelined: AtomicU32,
}

impl ConnectionProgress {
    pub(crate) fn new(timer: Arc<Timer>, timeouts: Timeouts) -> Arc<Self> {
        let (phase, ends, pipelined) = (AtomicU8::new(HANDSHAKE), AtomicU64::new(NEVER), AtomicU32::new(0));
        Arc::new(ConnectionProgress { timer, timeouts, phase, ends, pipelined })
    }

    /// The connection is established, and no request has begun.
    pub(crate) fn established(&self) {
        self.phase.store(IDLE, Relaxed);
        self.timer.set_waiting(self.timer.after(self.timeouts.header));
    }

    /// Octets arrived; they begin a request if none is in progress.
    fn received_octets(&self) {
        if self.phase.load(Relaxed) == IDLE {
            self.begin_request();
        }
    }

    fn begin_request(&self) {
        self.phase.store(RECEIVING, Relaxed);
        let ends = self.timer.after(self.timeouts.request);
        self.ends.store(ends, Relaxed);
        self.timer.set_waiting(ends.min(self.timer.after(self.timeouts.header)));
    }

    /// A request's headers are complete. Returns the number of requests in a row that arrived before the previous
    /// answer was written.
    pub(crate) fn headers_complete(&self) -> u32 {
        let pipelined = match self.phase.load(Relaxed) {
            RECEIVING => 0,
            _ => {
                self.begin_request();
                self.pipelined.load(Relaxed).saturating_add(1)
            }
        };
        self.pipelined.store(pipelined, Relaxed);
        self.timer.set_deadline(self.ends.load(Relaxed));
        pipelined
    }

    /// The request is complete.
    pub(crate) fn request_complete(&self) {
        self.phase.store(WORKING, Relaxed);
        self.timer.set_active(self.ends.load(Relaxed));
    }

    /// The answer begins. A streamed answer has no deadline of its own: the client only has to keep reading.
    fn answer_begins(&self, has_known_length: bool) {
        if !has_known_length {
            self.ends.store(NEVER, Relaxed);
        }
        self.request_complete();
    }

    fn answer_complete(&self) {
        _ = self.phase.compare_exchange(WORKING, ANSWERED, Relaxed, Relaxed);
    }

    fn is_writing(&self) -> bool {
        matches!(self.phase.load(Relaxed), WORKING | ANSWERED)
    }

    /// The client stopped reading.
    fn client_stalled(&self) {
        if self.is_writing() && !self.timer.is_waiting() {
            self.timer.set_waiting(self.ends.load(Relaxed).min(self.timer.after(self.timeouts.write)));
        }
    }

    /// The client read octets.
    fn client_read(&self) {
        if self.is_writing() && self.timer.is_waiting() {
            self.timer.set_active(self.ends.load(Relaxed));
        }
    }

    /// Everything is written.
    fn flushed(&self) {
        if self.phase.load(Relaxed) == ANSWERED {
            self.phase.store(IDLE, Relaxed);
            self.timer.set_idle(self.timer.after(self.timeouts.header));
        }
    }
}

/// A TCP connection that reports progress.
pub(crate) struct Watched {
    pub(crate) stream: TcpStream,
    pub(crate) progress: Arc<ConnectionProgress>,
}

impl Watched {
    fn wrote(&self, done: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match done {
            Poll::Pending => self.progress.client_stalled(),
            Poll::Ready(_) => self.progress.client_read(),
        }
        done
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        task::ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.progress.received_octets();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, octets);
        self.wrote(done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        task::ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.progress.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A request body that reports its end.
pub(crate) struct Received<B> {
    body: B,
    progress: Arc<ConnectionProgress>,
}

impl<B: Body> Received<B> {
    pub(crate) fn new(body: B, progress: Arc<ConnectionProgress>) -> Self {
        if body.is_end_stream() {
            progress.request_complete();
        }
        Received { body, progress }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Received<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = task::ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.progress.request_complete();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer body that reports when the connection has taken all of it.
pub(crate) struct Answered {
    body: axum::body::Body,
    progress: Arc<ConnectionProgress>,
}

impl Answered {
    pub(crate) fn new(body: axum::body::Body, progress: Arc<ConnectionProgress>) -> Self {
        progress.answer_begins(body.size_hint().exact().is_some());
        Answered { body, progress }
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.progress.answer_complete();
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
