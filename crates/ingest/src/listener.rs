use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use metrics::counter;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};

use crate::admission::{Admission, Place};

/// Connections the kernel holds for us between two accepts.
const BACKLOG: i32 = 1_024;
/// Pause after a failed accept, so that running out of descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// An open RTMP port.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    admission: Admission,
}

/// A connection that passed admission and has said nothing yet.
#[derive(Debug)]
pub struct Incoming {
    pub(crate) socket: TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) place: Place,
}

impl Listener {
    /// Opens the port.
    ///
    /// # Errors
    /// As the system says: in use, not allowed, no such address.
    pub fn bind(address: SocketAddr, admission: Admission) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self { socket: TcpListener::from_std(socket.into())?, admission })
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// As the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The next connection that passes admission; others are closed at once and counted.
    pub async fn accept(&self) -> Incoming {
        loop {
            match self.socket.accept().await {
                Ok((socket, peer)) => match self.admission.enter(peer.ip()) {
                    Ok(place) => return admitted(socket, peer, place),
                    Err(full) => {
                        counter!("millrace_rtmp_refused_total", "reason" => full.label()).increment(1);
                        tracing::warn!(%peer, limit = full.label(), "RTMP connection refused: limit reached");
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "RTMP accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

fn admitted(socket: TcpStream, peer: SocketAddr, place: Place) -> Incoming {
    counter!("millrace_rtmp_connections_total").increment(1);
    // Replies are small and awaited; Nagle would hold each one back.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY not set");
    }
    Incoming { socket, peer, place }
}
