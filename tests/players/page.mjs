// Plays `?player=NAME&url=URL&settings=JSON` and keeps what a viewer would notice: how soon it starts, whether it
// stops, how far behind it is. A URL that ends in `#t=SECONDS` is played for a while, and then from there: where that is,
// is kept, too. `watch.mjs` reads `window.seen`.

const SAMPLE_MS = 200;
// A player that has just started is still finding its place.
const SETTLED_MS = 6000;
// Until a viewer jumps.
const JUMP_MS = 5000;

const asked = new URLSearchParams(location.search);
const video = document.getElementById('video');
const settings = JSON.parse(asked.get('settings') ?? '{}');
const begun = performance.now();
const seen = window.seen = {
  firstFrameMs: null, stalls: [], errors: [], warnings: [], latencies: [], told: [], rates: [], frames: 0, width: 0,
  standing: null, jumped: null,
};

function script(src) {
  return new Promise((resolve, reject) => {
    const element = document.createElement('script');
    element.onload = resolve;
    element.onerror = () => reject(new Error(`no ${src}`));
    element.src = src;
    document.head.append(element);
  });
}

// Each answers with two functions: the UTC milliseconds of the picture that is shown, by what the stream says of
// it, and the latency that the player itself tells, in seconds.
const players = {
  async 'hls.js'(url) {
    await script('/lib/hls.js/dist/hls.js');
    const hls = new Hls({ lowLatencyMode: true, ...settings });
    hls.on(Hls.Events.ERROR, (_, data) => {
      const word = `${data.type}: ${data.details}${data.error ? `: ${data.error.message}` : ''}`;
      (data.fatal ? seen.errors : seen.warnings).push(word);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    return { date: () => hls.playingDate?.getTime(), told: () => hls.latency };
  },
  async 'dash.js'(url) {
    await script('/lib/dashjs/dist/modern/umd/dash.all.debug.js');
    const player = dashjs.MediaPlayer().create();
    player.on('error', (event) => seen.errors.push(`${event.error?.code}: ${event.error?.message}`));
    player.on('playbackError', (event) => seen.errors.push(`playback: ${event.error?.message ?? event.error}`));
    player.updateSettings(settings);
    player.initialize(video, url, true);
    return { date: () => player.timeAsUTC() * 1000, told: () => player.getCurrentLiveLatency() };
  },
  // The browser's own.
  async video(url) {
    video.src = url;
    return { date: () => undefined, told: () => NaN };
  },
  async shaka(url) {
    await script('/lib/shaka-player/dist/shaka-player.compiled.debug.js');
    const player = new shaka.Player();
    await player.attach(video);
    player.addEventListener('error', (event) => seen.errors.push(`${event.detail.code}: ${event.detail.message}`));
    player.configure(settings);
    await player.load(url);
    return { date: () => player.getPlayheadTimeAsDate()?.getTime(), told: () => player.getStats().liveLatency };
  },
};

function countFrames() {
  video.requestVideoFrameCallback(() => {
    seen.firstFrameMs ??= performance.now() - begun;
    seen.frames += 1;
    seen.width = video.videoWidth;
    countFrames();
  });
}

// A stall is a playhead that stands although it should move; events of the players' own differ too much.
function look(clock) {
  let [last, stood] = [video.currentTime, null];
  setInterval(() => {
    const now = performance.now();
    if (seen.firstFrameMs === null || video.ended) return;
    if (video.currentTime === last) {
      stood ??= now - SAMPLE_MS;
      seen.standing = { at: (stood - begun) / 1000, ms: now - stood };
    } else if (stood !== null) {
      if (seen.standing.ms > 2 * SAMPLE_MS) seen.stalls.push(seen.standing);
      stood = seen.standing = null;
    }
    last = video.currentTime;
    if (now - begun - seen.firstFrameMs < SETTLED_MS) return;
    const date = clock.date();
    if (date) seen.latencies.push((Date.now() - date) / 1000);
    seen.told.push(clock.told());
    seen.rates.push(video.playbackRate);
  }, SAMPLE_MS);
}

// What is shown first from there.
function jump(to) {
  video.addEventListener('seeked', () => video.requestVideoFrameCallback((_, frame) => {
    seen.jumped ??= { to, shown: frame.mediaTime };
  }));
  video.currentTime = to;
}

video.addEventListener('error', () => seen.errors.push(`video: ${video.error?.message}`));
window.addEventListener('unhandledrejection', (event) => seen.errors.push(String(event.reason)));
countFrames();
const [url, moment] = new URL(asked.get('url'), location).href.split('#t=');
const clock = await players[asked.get('player')](url);
look(clock);
if (moment) setTimeout(jump, JUMP_MS, Number(moment));
// dash.js plays by itself, and takes a picture that already plays for one that is paused.
if (asked.get('player') !== 'dash.js') await video.play();
