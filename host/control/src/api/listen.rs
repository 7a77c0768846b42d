//! `BoundApi` and `ApiService`: from a socket to a service that the launcher starts and stops.
//!
//! The socket is taken before anything else is built, so that a busy port is found out at once.
//! Connections are bounded; a stop lets requests in work finish. Must not know any path.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::serve::Listener;
use longshore_service::{Drain, Launchable, ServiceError};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::codes;
use super::gate::Gate;
use super::routes::{ApiParts, gated};

/// How long connections without a request may take to close, once no request is in work.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);
/// Pause after a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that is bound and not served yet.
#[derive(Debug)]
pub struct BoundApi {
    socket: TcpListener,
    address: SocketAddr,
}

/// Takes the address of the API.
///
/// # Errors
/// `service/cannot-listen`, with the address.
pub async fn bind(listen: SocketAddr) -> Result<BoundApi, ServiceError> {
    let bound = async {
        let socket = TcpListener::bind(listen).await?;
        let address = socket.local_addr()?;
        io::Result::Ok(BoundApi { socket, address })
    };
    bound.await.map_err(|error| {
        let text = format!("cannot listen on `{listen}`: {error}");
        let made = ServiceError::new(codes::CANNOT_LISTEN, text).with_source(error);
        match codes::row(codes::CANNOT_LISTEN) {
            Some(row) => made.with_hint(row.cure),
            None => made,
        }
    })
}

impl BoundApi {
    /// The address, with the port that was taken if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Joins the socket to the rest; nothing is answered before the service is started.
    pub fn serve(self, parts: ApiParts) -> ApiService {
        let gate = Gate::new(parts.config.in_flight_max);
        let places = parts
            .config
            .connections_max
            .clamp(1, Semaphore::MAX_PERMITS);
        let listener = Bounded {
            socket: self.socket,
            places: Arc::new(Semaphore::new(places)),
        };
        ApiService {
            address: self.address,
            router: gated(parts, Arc::clone(&gate)),
            gate,
            state: Mutex::new(State::Bound(listener)),
        }
    }
}

/// The web API as a service of the launcher.
pub struct ApiService {
    address: SocketAddr,
    router: Router,
    gate: Arc<Gate>,
    state: Mutex<State>,
}

enum State {
    Bound(Bounded),
    Serving(Serving),
    Ended,
}

struct Serving {
    task: JoinHandle<io::Result<()>>,
    /// Dropped or sent: no new connections.
    close: oneshot::Sender<()>,
}

impl ApiService {
    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn replace(&self, next: State) -> State {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut state, next)
    }
}

#[async_trait]
impl Launchable for ApiService {
    fn name(&self) -> &str {
        "api"
    }

    async fn start(&self) -> Result<(), ServiceError> {
        let listener = match self.replace(State::Ended) {
            State::Bound(listener) => listener,
            other => {
                self.replace(other);
                let text = "`api` was started before";
                return Err(ServiceError::new(codes::NOT_BOUND, text));
            }
        };
        let (close, closed) = oneshot::channel::<()>();
        let served = axum::serve(listener, self.router.clone()).with_graceful_shutdown(async {
            // An error means that the service was dropped, which is an end too.
            let _ = closed.await;
        });
        let task = tokio::spawn(async move { served.await });
        self.replace(State::Serving(Serving { task, close }));
        Ok(())
    }

    /// Takes no new connections, and waits for the requests in work.
    async fn stop(&self, drain: &Drain) -> Result<(), ServiceError> {
        let State::Serving(Serving { mut task, close }) = self.replace(State::Ended) else {
            return Ok(());
        };
        let _ = close.send(());
        let quiet = async {
            tokio::select! {
                biased;
                _ = &mut task => return,
                () = self.gate.idle() => {}
            }
            // What is left sends no request, or not a whole one: it must not hold up the stop.
            let _ = tokio::time::timeout(CLOSE_TIME_MAX, &mut task).await;
        };
        let finished = drain.within(quiet).await.is_some();
        task.abort();
        if finished {
            return Ok(());
        }
        let text = "`api` cut requests short that were in work";
        Err(ServiceError::new(codes::CUT_SHORT, text))
    }
}

/// A listener that accepts no more connections than it has places.
struct Bounded {
    socket: TcpListener,
    places: Arc<Semaphore>,
}

/// A connection with its place.
struct Placed {
    stream: TcpStream,
    _place: Option<OwnedSemaphorePermit>,
}

impl Listener for Bounded {
    type Io = Placed;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Placed, SocketAddr) {
        // The semaphore is never closed, so there always is a place in the end.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        loop {
            match self.socket.accept().await {
                Ok((stream, address)) => {
                    // Answers are small and written whole; waiting for more would only delay them.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(why = %error, "a connection keeps its delay");
                    }
                    let placed = Placed {
                        stream,
                        _place: place,
                    };
                    return (placed, address);
                }
                Err(error) => {
                    tracing::warn!(why = %error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

impl AsyncRead for Placed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Placed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
