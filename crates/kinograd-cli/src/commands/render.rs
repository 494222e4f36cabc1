//! `kinograd render`.

use anyhow::Context;
use kinograd::guidance::scene::Scene;
use kinograd::render::{RenderOptions, RenderView, render};
use kinograd::{Clip, LoadOptions};

use super::generate::Watcher;
use crate::args::{RenderArgs, ViewArg};
use crate::printer::Printer;

/// Draws clips.
pub fn run(args: &RenderArgs, printer: &Printer) -> anyhow::Result<()> {
    let scene = match &args.scene {
        None => None,
        Some(path) => {
            let shown = || format!("scene {}", path.display());
            let text = std::fs::read_to_string(path).with_context(shown)?;
            Some(Scene::parse(&text).with_context(shown)?)
        }
    };
    let options = LoadOptions {
        retarget: true,
        ..LoadOptions::default()
    };
    let clips = args
        .clips
        .iter()
        .map(|path| Clip::load(path, options))
        .collect::<Result<Vec<_>, _>>()?;
    let options = RenderOptions {
        view: match args.view {
            ViewArg::Sheet => RenderView::Sheet,
            ViewArg::Side => RenderView::Side,
            ViewArg::Follow => RenderView::Follow,
            ViewArg::Top => RenderView::Top,
        },
        size_px: (args.size.0, args.size.1),
        fps: args.fps,
    };
    let mut watcher = Watcher::new(printer);
    let rendered = render(&clips, scene.as_ref(), &options, &args.output, &mut watcher)?;
    let frames = match rendered.fps {
        Some(fps) => format!(", {} frames at {fps} fps", rendered.frames),
        None => String::new(),
    };
    let (width, height) = rendered.size_px;
    let text = format!("{}: {width} × {height}{frames}", rendered.path.display());
    let mut document = serde_json::to_value(&rendered)?;
    document["schema"] = "kinograd.render/1".into();
    printer.document(&document, &text)?;
    Ok(())
}
