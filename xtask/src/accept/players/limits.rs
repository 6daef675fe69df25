//! What players cannot do, whatever a server sends: found in their source. Such a run is made and shown all the same.

/// Shaka Player on parts that begin without a key frame.
///
/// `setTimestampOffset_` (lib/media/media_source_engine.js) adds 1 ms to a negative offset, `appendBuffer` compares what
/// was added to with what it calculates anew, and so calls `abort()` before each append. After that the browser drops
/// everything up to the next key frame (Media Source Extensions, "Reset Parser State").
pub const SHAKA_PARTS: &str = "it calls `abort()` before each append (shaka-project/shaka-player#10589, mended on its \
    main branch by #10559), so the browser drops parts without a key frame";

/// GStreamer on a live SegmentTimeline, up to its main branch of today.
///
/// `gst_mpd_client2_stream_seek` (adaptivedemux2/dash/gstmpdclient.c, and `gst_mpd_client_stream_seek` of the older
/// dashdemux) counts repetitions within an S element by (position - its start + start of the *first* S) / duration. Where
/// the first S begins later than a duration after availabilityStartTime, as in every window that has moved, it asks for
/// a segment at about twice its time, which does not exist.
pub const GSTREAMER_TIMELINE: &str = "gst_mpd_client2_stream_seek adds the first segment's start once too often \
    (ext/adaptivedemux2/dash/gstmpdclient.c), so it asks for twice the time in a SegmentTimeline that has moved";
