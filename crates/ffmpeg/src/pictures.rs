use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use media::Codec;
use metrics::{counter, histogram};
use tokio::sync::oneshot;

use crate::{Busy, Error, snapshot};

/// Threads that turn key frames into JPEGs.
///
/// Bounded on purpose: a queue of `queue` key frames and no more. When it is full the snapshot is skipped; the
/// next one of that stream comes soon, and an old picture late is worth less than a new one in time.
///
/// When the last handle is dropped the threads finish what is queued and end.
#[derive(Clone)]
pub struct Pictures {
    /// Shared by all who capture; the workers end when it is closed and empty.
    queue: SyncSender<Job>,
}

/// Owned by the queue, then by one worker.
struct Job {
    codec: Codec,
    data: Bytes,
    done: oneshot::Sender<Result<Bytes, Error>>,
}

impl Pictures {
    /// Starts `workers` threads with a queue of `queue` key frames between them, and makes FFmpeg silent for
    /// the whole process: what it says of a stream is the publisher's to choose.
    ///
    /// # Errors
    /// FFmpeg or a thread did not start.
    pub fn start(workers: NonZeroUsize, queue: usize) -> io::Result<Self> {
        ffmpeg_next::init().map_err(io::Error::other)?;
        ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
        Self::start_with(workers, queue, snapshot)
    }

    fn start_with(workers: NonZeroUsize, queue: usize, work: Work) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for index in 0..workers.get() {
            let receiver = receiver.clone();
            thread::Builder::new().name(format!("picture-{index}")).spawn(move || {
                while let Some(job) = next(&receiver) {
                    job.run(work);
                }
            })?;
        }
        Ok(Self { queue: sender })
    }

    /// Queues a key frame as [`media::Packet`] holds it. Never blocks; the JPEG comes through the receiver.
    /// Dropping the receiver cancels a picture that is still queued.
    ///
    /// # Errors
    /// [`Busy`] when the queue is full.
    pub fn capture(
        &self,
        codec: Codec,
        data: Bytes,
    ) -> Result<oneshot::Receiver<Result<Bytes, Error>>, Busy> {
        let (done, receiver) = oneshot::channel();
        self.queue.try_send(Job { codec, data, done }).map_err(|_| {
            counter!("millrace_pictures_total", "result" => "skipped").increment(1);
            Busy
        })?;
        Ok(receiver)
    }
}

type Work = fn(&Codec, &Bytes) -> Result<Bytes, Error>;

/// One worker waits in `recv` and holds the lock meanwhile; the others wait for the lock. No worker works
/// while it holds it.
fn next(queue: &Mutex<Receiver<Job>>) -> Option<Job> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

impl Job {
    fn run(self, work: Work) {
        if self.done.is_closed() {
            return;
        }
        let started = Instant::now();
        let result =
            catch_unwind(AssertUnwindSafe(|| work(&self.codec, &self.data))).unwrap_or(Err(Error::Panicked));
        histogram!("millrace_picture_seconds").record(started.elapsed());
        let label = if result.is_ok() { "ok" } else { "error" };
        counter!("millrace_pictures_total", "result" => label).increment(1);
        // Nobody waits any more: the stream is gone, and so is the use of its picture.
        let _ = self.done.send(result);
    }
}

#[cfg(test)]
mod tests {
    use media::{H264, Picture};

    use super::*;

    fn one() -> NonZeroUsize {
        NonZeroUsize::new(1).unwrap()
    }

    fn codec() -> Codec {
        Codec::H264(H264 { record: Bytes::new(), length_size: 4, picture: Picture::of_size(16, 16) })
    }

    #[test]
    fn a_panic_costs_one_picture_and_not_the_worker() {
        let pictures = Pictures::start_with(one(), 2, |_, data| match data.is_empty() {
            true => panic!("on purpose"),
            false => Ok(data.clone()),
        });
        let pictures = pictures.unwrap();
        let bad = pictures.capture(codec(), Bytes::new()).unwrap();
        let good = pictures.capture(codec(), Bytes::from_static(b"jpeg")).unwrap();
        assert!(matches!(bad.blocking_recv().unwrap(), Err(Error::Panicked)));
        assert_eq!(good.blocking_recv().unwrap().unwrap(), "jpeg");
    }

    #[test]
    fn a_full_queue_is_busy_and_never_blocks() {
        // Without room in the queue a job is taken only by a worker that waits for one; the one here never
        // comes back.
        let pictures = Pictures::start_with(one(), 1, |_, _| {
            loop {
                thread::park();
            }
        });
        let pictures = pictures.unwrap();
        let mut waiting = Vec::new();
        let busy = (0..4).find_map(|_| match pictures.capture(codec(), Bytes::new()) {
            Ok(receiver) => {
                waiting.push(receiver);
                None
            }
            Err(busy) => Some(busy),
        });
        assert_eq!(busy, Some(Busy));
        assert!(waiting.len() <= 2, "one in work and one queued at most");
    }

    #[test]
    fn workers_finish_what_is_queued_when_the_last_handle_is_gone() {
        let pictures = Pictures::start_with(one(), 4, |_, data| Ok(data.clone())).unwrap();
        let receivers: Vec<_> =
            (0..3).map(|_| pictures.capture(codec(), Bytes::from_static(b"x")).unwrap()).collect();
        drop(pictures);
        for receiver in receivers {
            assert_eq!(receiver.blocking_recv().unwrap().unwrap(), "x");
        }
    }
}
