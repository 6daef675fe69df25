//! The home folder of an OBS that publishes on its own: profile, scene, and a script that ends it in good order.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::Result;

/// Profile, scene collection and scene are called so.
pub const NAME: &str = "Proof";

/// What the script says in OBS's log.
pub const STARTED: &str = "proof: streaming started";
/// Also said when the connection was refused.
pub const STOPPED: &str = "proof: streaming stopped";

const GLOBAL: &str = "[General]\nFirstRun=true\nEnableAutoUpdates=false\n";

/// x264 at 640x360, 30 fps, OBS's own GOP of 250 frames. Reconnecting would hide a refusal.
const PROFILE: &str = "\
[General]
Name=Proof
[Video]
BaseCX=640
BaseCY=360
OutputCX=640
OutputCY=360
FPSType=0
FPSCommon=30
[Output]
Mode=Simple
Reconnect=false
[SimpleOutput]
VBitrate=800
ABitrate=128
StreamEncoder=x264
UseAdvanced=true
Preset=ultrafast
";

/// Paints every frame in another colour, so that no two frames are alike, and stops the stream by OBS's own means:
/// a signal to a streaming OBS only brings up a question.
const SCRIPT: &str = r#"
obs = obslua
local count = 0

function script_tick(seconds)
  local source = obs.obs_get_source_by_name("Colour")
  if source == nil then return end
  count = count + 1
  local settings = obs.obs_data_create()
  obs.obs_data_set_int(settings, "color", 0xff000000 + (count * 40503) % 0x1000000)
  obs.obs_source_update(source, settings)
  obs.obs_data_release(settings)
  obs.obs_source_release(source)
end

local function stop()
  obs.timer_remove(stop)
  obs.obs_frontend_streaming_stop()
end

function script_load(settings)
  obs.obs_frontend_add_event_callback(function(event)
    if event == obs.OBS_FRONTEND_EVENT_STREAMING_STARTED then
      obs.script_log(obs.LOG_INFO, "@STARTED@")
      obs.timer_add(stop, @MILLIS@)
    elseif event == obs.OBS_FRONTEND_EVENT_STREAMING_STOPPED then
      obs.script_log(obs.LOG_INFO, "@STOPPED@")
    end
  end)
end
"#;

/// Writes it to `home`: publishes to `url` as `key`, for so long.
pub fn write(home: PathBuf, url: &str, key: &str, publish: Duration) -> Result<PathBuf> {
    let config = home.join(".config/obs-studio");
    let profile = config.join("basic/profiles").join(NAME);
    let scenes = config.join("basic/scenes");
    std::fs::create_dir_all(&profile)?;
    std::fs::create_dir_all(&scenes)?;

    let script = SCRIPT
        .replace("@STARTED@", STARTED)
        .replace("@STOPPED@", STOPPED)
        .replace("@MILLIS@", &publish.as_millis().to_string());
    let script_file = home.join("proof.lua");
    std::fs::write(&script_file, script)?;

    std::fs::write(config.join("global.ini"), GLOBAL)?;
    std::fs::write(profile.join("basic.ini"), PROFILE)?;
    let service = json!({ "type": "rtmp_custom", "settings": { "server": url, "key": key } });
    std::fs::write(profile.join("service.json"), service.to_string())?;
    let scene = json!({
        "name": NAME,
        "current_scene": NAME,
        "current_program_scene": NAME,
        "scene_order": [{ "name": NAME }],
        "sources": [
            {
                "id": "scene",
                "name": NAME,
                "settings": { "id_counter": 1, "items": [{ "name": "Colour", "id": 1, "visible": true }] },
            },
            { "id": "color_source_v3", "name": "Colour", "settings": { "width": 640, "height": 360 } },
        ],
        "modules": { "scripts-tool": [{ "path": script_file, "settings": {} }] },
    });
    std::fs::write(scenes.join(format!("{NAME}.json")), scene.to_string())?;
    Ok(home)
}
