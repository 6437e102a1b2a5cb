//! The window as a page of the web: what a browser has in place of files, threads and arguments.

use crate::app::{App, Opening};
use crate::settings::Settings;
use crate::state::site_word;
use eframe::egui;
use sim_core::scenario::Source;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};

/// Where looks and layout are kept.
const KEY: &str = "stampede-window";

/// Starts the page on the canvas called `stampede`.
pub fn start() {
    wasm_bindgen_futures::spawn_local(async {
        let Some(canvas) = canvas() else {
            return;
        };
        let options = eframe::WebOptions::default();
        let runner = eframe::WebRunner::new();
        let begun = runner
            .start(
                canvas,
                options,
                Box::new(|cc| {
                    follow_links(&cc.egui_ctx);
                    Ok(Box::new(App::new(&cc.egui_ctx, opening())))
                }),
            )
            .await;
        let words = match begun {
            Ok(()) => None,
            Err(error) => Some(format!("The page cannot start: {error:?}")),
        };
        say(words.as_deref());
    });
}

fn window() -> Option<web_sys::Window> {
    web_sys::window()
}

fn canvas() -> Option<web_sys::HtmlCanvasElement> {
    window()?
        .document()?
        .get_element_by_id("stampede")?
        .dyn_into()
        .ok()
}

/// Takes the note away that the page is loading, or puts words in its place.
fn say(words: Option<&str>) {
    let note = window()
        .and_then(|w| w.document())
        .and_then(|d| d.get_element_by_id("loading"));
    if let Some(note) = note {
        match words {
            Some(words) => note.set_text_content(Some(words)),
            None => note.remove(),
        }
    }
}

/// The part of the address after `#`.
fn hash() -> String {
    let hash = window().and_then(|w| w.location().hash().ok());
    hash.unwrap_or_default()
}

/// A link that is put into the address of an open page does not load it again; the browser only
/// says that it changed.
fn follow_links(ctx: &egui::Context) {
    let ctx = ctx.clone();
    let changed = Closure::<dyn FnMut()>::new(move || {
        LINK.with(|slot| slot.replace(Some(hash())));
        ctx.request_repaint();
    });
    if let Some(window) = window() {
        window.set_onhashchange(Some(changed.as_ref().unchecked_ref()));
    }
    // It listens as long as the page is open.
    changed.forget();
}

/// What a link asks for that was put into the address since.
pub(crate) fn take_link() -> Option<Opening> {
    let link = LINK.with(std::cell::RefCell::take)?;
    Some(crate::link::read(&link))
}

/// What the address asks for.
fn opening() -> Opening {
    let mut opening = crate::link::read(&hash());
    (opening.sliced, opening.keep) = (true, true);
    opening.settings = kept_settings().map_or_else(Settings::default, |t| Settings::from_text(&t));
    opening.settings.reduced_motion |= prefers_reduced_motion();
    opening
}

/// The page's address without what follows `#`.
pub(crate) fn address() -> String {
    let href = window()
        .and_then(|w| w.location().href().ok())
        .unwrap_or_default();
    href.split('#').next().unwrap_or_default().to_owned()
}

fn storage() -> Option<web_sys::Storage> {
    window()?.local_storage().ok()?
}

pub(crate) fn kept_settings() -> Option<String> {
    storage()?.get_item(KEY).ok()?
}

pub(crate) fn keep_settings(text: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage: the next visit begins as the first.
        let _ = storage.set_item(KEY, text);
    }
}

thread_local! {
    /// A file that was dropped and has been read.
    static DROPPED: std::cell::RefCell<Option<Result<Source, String>>> =
        const { std::cell::RefCell::new(None) };
    /// A link that was put into the address.
    static LINK: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// A scenario that was dropped onto the page: browsers read it in their own time.
pub(crate) fn take_dropped(ctx: &egui::Context) -> Option<Result<Source, String>> {
    if let Some(file) = ctx.input(|input| input.raw.dropped_files.first().cloned()) {
        let ctx = ctx.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let name = file.path().to_string_lossy().into_owned();
            let read = file.bytes_async().await.and_then(|bytes| {
                String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
            });
            let read = match read {
                Ok(text) => Ok(Source::new(name, text)),
                Err(why) => Err(format!("cannot read {name}: {why}")),
            };
            DROPPED.with(|slot| slot.replace(Some(read)));
            ctx.request_repaint();
        });
    }
    DROPPED.with(std::cell::RefCell::take)
}

/// Whether the visitor's system asks for little movement.
fn prefers_reduced_motion() -> bool {
    let query = window().and_then(|w| w.match_media("(prefers-reduced-motion: reduce)").ok());
    query.flatten().is_some_and(|query| query.matches())
}

/// Hands a text to the visitor as a file.
pub(crate) fn download(name: &str, text: &str) -> String {
    let begin = || -> Result<(), JsValue> {
        let missing = || JsValue::from_str("no document");
        let document = window().and_then(|w| w.document()).ok_or_else(missing)?;
        let parts = js_sys::Array::of1(&JsValue::from_str(text));
        let blob = web_sys::Blob::new_with_str_sequence(&parts)?;
        let address = web_sys::Url::create_object_url_with_blob(&blob)?;
        let link: web_sys::HtmlAnchorElement = document.create_element("a")?.unchecked_into();
        link.set_href(&address);
        link.set_download(name);
        link.click();
        web_sys::Url::revoke_object_url(&address)
    };
    match begin() {
        Ok(()) => format!("downloaded as {name}"),
        Err(error) => format!("cannot download {name}: {error:?}"),
    }
}

/// Puts what is shown where scripts of the page, and its tests, can read it: `window.stampede`.
pub(crate) fn publish(app: &App) {
    let Some(window) = window() else {
        return;
    };
    let facts = js_sys::Object::new();
    let put = |key: &str, value: JsValue| {
        let _ = js_sys::Reflect::set(&facts, &JsValue::from_str(key), &value);
    };
    let state = app.state();
    put("scenario", JsValue::from_str(&state.name));
    if let Some(experiment) = &state.experiment {
        put("experiment", JsValue::from_str(experiment.state_word()));
        put("headline", JsValue::from_str(&experiment.headline()));
    }
    if let Some(examined) = &state.doctor {
        put("doctor", JsValue::from_str(examined.report.state_word()));
        put("findings", JsValue::from_str(&examined.words()));
        // What stands beside lines.
        let marks = crate::panel::findings::lines(examined).into_iter();
        let marks = marks.map(|(line, numbers)| {
            let beside = crate::panel::findings::beside(examined, &numbers);
            JsValue::from_str(&format!("{line}: {beside}"))
        });
        put("marks", marks.collect::<js_sys::Array>().into());
    }
    if let Some(report) = &state.report {
        put("settled", JsValue::from_bool(report.settled));
        put("playing", JsValue::from_bool(report.transport.playing));
        put("futures", JsValue::from_f64(report.branches.len() as f64));
        put(
            "simulated",
            JsValue::from_f64(report.branches[0].explored.as_secs_f64()),
        );
        if let Some(digest) = report.branches[0].digest {
            put("digest", JsValue::from_str(&format!("{digest:016x}")));
        }
        put(
            "seed",
            JsValue::from_f64(report.branches[0].model.seed as f64),
        );
        for view in &report.views {
            let key = format!("state{}", crate::playback::letter(view.branch));
            put(&key, JsValue::from_str(site_word(view.site)));
            let key = format!("failed{}", crate::playback::letter(view.branch));
            put(&key, JsValue::from_f64(view.summary.requests.failed as f64));
        }
    }
    put("at", JsValue::from_str(&state.label(state.now())));
    put(
        "dark",
        JsValue::from_bool(app.ctx().theme() == egui::Theme::Dark),
    );
    let _ = js_sys::Reflect::set(&window, &JsValue::from_str("stampede"), &facts);
}
