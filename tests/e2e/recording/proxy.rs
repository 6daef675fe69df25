//! Something between the server and its store that can be away in every way that a store can.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::machine::pause;

/// How the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Well,
    /// Takes no connection for longer than it must.
    Refuses,
    /// Takes everything and says nothing.
    Hangs,
    /// Says 500.
    Fails,
    /// Breaks off in the middle of what it is sent.
    Resets,
    /// Takes some kilobytes a second.
    Slow,
}

/// It ends with the process.
pub struct Proxy {
    pub url: String,
    mode: Arc<Mutex<Mode>>,
}

impl Proxy {
    /// Before the service at `to`, an `http://` URL.
    pub fn start(to: &str, mode: Mode) -> Self {
        let to = to.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mode = Arc::new(Mutex::new(mode));
        let shared = mode.clone();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (to, mode) = (to.clone(), shared.clone());
                thread::spawn(move || serve(&socket.unwrap(), &to, &mode));
            }
        });
        Self { url, mode }
    }

    /// From now on it is so, for connections that are open, too.
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }
}

/// Until one of the two closes or the mode says so. Either may go away at any moment.
fn serve(client: &TcpStream, to: &str, mode: &Mutex<Mode>) {
    let Ok(service) = TcpStream::connect(to) else { return };
    let (mut back, mut answer) = (client.try_clone().unwrap(), service.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut answer, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let _ = forward(client, &service, mode);
    let _ = service.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

fn forward(mut client: &TcpStream, mut service: &TcpStream, mode: &Mutex<Mode>) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    let now = || *mode.lock().unwrap();
    while now() != Mode::Refuses {
        let read = client.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        while now() == Mode::Hangs {
            pause();
        }
        match now() {
            Mode::Well | Mode::Hangs => service.write_all(&buffer[..read])?,
            Mode::Slow => {
                pause();
                service.write_all(&buffer[..read])?;
            }
            Mode::Resets => {
                service.write_all(&buffer[..read / 2])?;
                break;
            }
            Mode::Fails => {
                let body = "<Error><Code>InternalError</Code><Message>not today</Message></Error>";
                write!(
                    client,
                    "HTTP/1.1 500 no\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )?;
                break;
            }
            Mode::Refuses => break,
        }
    }
    Ok(())
}
