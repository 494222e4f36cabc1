//! Clips as pictures and films.

use std::path::Path;

use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd::render::FilmWriter;
use kinograd_bevy::{MotionClip, Rig};

use super::picture::Picture;
use super::studio::{Studio, StudioError};
use crate::camera::{Shot, VIEW, View, body_points, frame_points};
use crate::lanes::lanes;
use crate::scene::look::body_color;
use crate::scene::marks::extent;

/// Clips that move less than this are laid out in time, side by side, metres.
const IN_PLACE_M: f32 = 1.2;
/// Room for a pose where clips are laid out in time, metres.
const POSE_ROOM_M: f32 = 0.95;

/// What a picture or film shows and how.
#[derive(Debug, Clone)]
pub struct OffscreenOptions {
    /// Width and height, pixels.
    pub size_px: (u32, u32),
    /// Whether edges are smoothed.
    pub smooth: bool,
    /// The direction to look from.
    pub view: View,
    /// Which moment a single picture shows, seconds; the middle if `None`.
    pub time_secs: Option<f32>,
    /// So many poses in one picture.
    pub poses: Option<usize>,
    /// Whether the camera goes along.
    pub follows: bool,
    /// Whether several clips stand in one place, the later ones see-through.
    pub overlays: bool,
    /// Frames per second of films; the clip's own if `None`.
    pub fps: Option<f64>,
    /// Whether ways and footprints are drawn.
    pub shows_trails: bool,
    /// What characters wear in place of the mannequin's body.
    pub character: Option<Rig>,
}

impl Default for OffscreenOptions {
    fn default() -> Self {
        Self {
            size_px: (1280, 720),
            smooth: true,
            view: VIEW,
            time_secs: None,
            poses: None,
            follows: false,
            overlays: false,
            fps: None,
            shows_trails: true,
            character: None,
        }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The studio is at fault.
    #[error(transparent)]
    Studio(#[from] StudioError),
    /// The film cannot be made or written.
    #[error(transparent)]
    Film(#[from] kinograd::draw::DrawError),
    /// A file, or what was asked for, in words.
    #[error("{0}")]
    Input(String),
}

/// Draws clips, in a scene if there is one, to a `.png`, `.gif`, `.mp4` or a folder of PNG. Returns how
/// many pictures were drawn.
///
/// # Errors
/// [`RenderError::Studio`] if there is nothing to draw with; [`RenderError::Input`] for a path or an
/// option that cannot be.
pub fn render(
    clips: Vec<MotionClip>,
    scene: Option<TaskSpec>,
    output: &Path,
    options: &OffscreenOptions,
) -> Result<usize, RenderError> {
    if clips.is_empty() {
        return Err(RenderError::Input("no clip to draw".to_owned()));
    }
    let is_still = output
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if options.poses.is_some_and(|poses| poses == 0 || poses > 200) {
        return Err(RenderError::Input("a sheet has 1 to 200 poses".to_owned()));
    }
    if options.poses.is_some() && !is_still {
        return Err(RenderError::Input("a sheet is a .png".to_owned()));
    }
    let mut film = None;
    if !is_still {
        let fps = options.fps.unwrap_or(clips[0].motion.fps);
        let made = FilmWriter::create(output, options.size_px, fps)?;
        film = Some((made, fps));
    }
    let (width, height) = options.size_px;
    let mut studio = Studio::open(width, height, options.smooth)?;
    let set = Set::new(clips, scene, options);
    studio.show_trails(options.shows_trails);
    studio.wear(options.character.clone());
    studio.set_scene(set.scene.clone(), set.lanes_m.clone());
    match film {
        None => {
            let picture = set.still(&mut studio, options)?;
            picture.write_png(output).map_err(RenderError::Input)?;
            Ok(1)
        }
        Some((film, fps)) => set.film(&mut studio, film, fps, options),
    }
}

/// Clips in their places.
struct Set {
    clips: Vec<MotionClip>,
    scene: Option<TaskSpec>,
    /// Where each clip stands.
    places_m: Vec<Vec3>,
    /// Where the scene is set up.
    lanes_m: Vec<Vec3>,
}

impl Set {
    fn new(clips: Vec<MotionClip>, scene: Option<TaskSpec>, options: &OffscreenOptions) -> Self {
        let scene = scene.or_else(|| clips.iter().find_map(|clip| clip.scene.clone()));
        let places_m = if options.overlays {
            vec![Vec3::ZERO; clips.len()]
        } else {
            lanes(&clips.iter().collect::<Vec<_>>(), scene.as_ref())
        };
        let lanes_m = if options.overlays {
            vec![Vec3::ZERO]
        } else {
            places_m.clone()
        };
        Self {
            clips,
            scene,
            places_m,
            lanes_m,
        }
    }

    fn aspect(options: &OffscreenOptions) -> f32 {
        options.size_px.0 as f32 / options.size_px.1.max(1) as f32
    }

    /// A shot that has the clips' whole way in it.
    fn wide_shot(&self, options: &OffscreenOptions) -> Shot {
        let mut points = Vec::new();
        for (clip, &place) in self.clips.iter().zip(&self.places_m) {
            for joints in clip.joints_m.iter().step_by(3) {
                points.extend(body_points(joints, place));
            }
        }
        points.extend(self.scene_points());
        frame_points(&points, options.view, Self::aspect(options), 0.1)
    }

    fn scene_points(&self) -> Vec<Vec3> {
        let marks = self.scene.as_ref().map(extent).unwrap_or_default();
        let lanes = self.lanes_m.iter();
        lanes
            .flat_map(|&lane| marks.iter().map(move |&at| lane + at))
            .collect()
    }

    fn opacity(index: usize, options: &OffscreenOptions) -> f32 {
        if options.overlays && index > 0 {
            0.45
        } else {
            1.0
        }
    }

    fn still(
        &self,
        studio: &mut Studio,
        options: &OffscreenOptions,
    ) -> Result<Picture, RenderError> {
        let Some(poses) = options.poses else {
            for (index, (clip, &place)) in self.clips.iter().zip(&self.places_m).enumerate() {
                let opacity = Self::opacity(index, options);
                let person = studio.add_clip(clip.clone(), place, body_color(index), opacity);
                let middle = 0.5 * clip.duration_secs();
                studio.set_time(person, options.time_secs.unwrap_or(middle));
            }
            studio.aim(self.wide_shot(options));
            studio.dress()?;
            return Ok(studio.picture()?);
        };
        let mut points = self.scene_points();
        for (index, (clip, &place)) in self.clips.iter().zip(&self.places_m).enumerate() {
            let shared = studio
                .world_mut()
                .resource_mut::<Assets<MotionClip>>()
                .add(clip.clone());
            for (pose, (time, shift)) in laid_out(clip, poses).into_iter().enumerate() {
                let share = (pose + 1) as f32 / poses as f32;
                let pale = Color::srgb(0.86, 0.87, 0.89);
                let color = pale.mix(&body_color(index), 0.25 + 0.75 * share);
                let at = place + shift;
                let person = studio.add_player(shared.clone(), at, color, 1.0);
                studio.set_time(person, time);
                points.extend(body_points(&clip.pose(time).joints_m, at));
            }
        }
        studio.aim(frame_points(
            &points,
            options.view,
            Self::aspect(options),
            0.08,
        ));
        studio.dress()?;
        Ok(studio.picture()?)
    }

    fn film(
        &self,
        studio: &mut Studio,
        mut film: FilmWriter,
        fps: f64,
        options: &OffscreenOptions,
    ) -> Result<usize, RenderError> {
        let people: Vec<Entity> = (0..self.clips.len())
            .map(|index| {
                let opacity = Self::opacity(index, options);
                let clip = self.clips[index].clone();
                studio.add_clip(clip, self.places_m[index], body_color(index), opacity)
            })
            .collect();
        let shot = self.wide_shot(options);
        studio.aim(shot);
        studio.dress()?;
        let longest = self
            .clips
            .iter()
            .map(MotionClip::duration_secs)
            .fold(0.0, f32::max);
        let frames = (f64::from(longest) * fps).round() as usize + 1;
        for frame in 0..frames {
            let time = (frame as f64 / fps) as f32;
            for &person in &people {
                studio.set_time(person, time);
            }
            if options.follows {
                studio.aim(self.close_shot(time, shot, options));
            }
            film.add(&studio.picture()?.rgba())?;
        }
        film.finish()?;
        Ok(frames)
    }

    /// A shot near the first clip's root at a time.
    fn close_shot(&self, time_secs: f32, wide: Shot, options: &OffscreenOptions) -> Shot {
        let Some(clip) = self.clips.first() else {
            return wide;
        };
        let root = clip.pose(time_secs).root_m.with_y(0.0) + self.places_m[0];
        let room = [
            root + Vec3::new(-1.1, 0.0, -1.1),
            root + Vec3::new(1.1, 0.0, 1.1),
            root + Vec3::Y * 1.9,
        ];
        frame_points(&room, options.view, Self::aspect(options), 0.1)
    }
}

/// Times of a sheet's poses and how far each is moved: clips in place are laid out along +Z.
pub(super) fn laid_out(clip: &MotionClip, poses: usize) -> Vec<(f32, Vec3)> {
    let path = clip.root_path_m();
    let reach = path
        .iter()
        .map(|at| at.distance(path[0]))
        .fold(0.0, f32::max);
    let moves = reach >= IN_PLACE_M;
    (0..poses)
        .map(|pose| {
            let share = if poses > 1 {
                pose as f32 / (poses - 1) as f32
            } else {
                0.5
            };
            let shift = if moves {
                0.0
            } else {
                POSE_ROOM_M * pose as f32
            };
            (share * clip.duration_secs(), Vec3::Z * shift)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn clips_in_place_are_laid_out_in_time() {
        let still = MotionClip::new("stand", synth_walk(0.01, 2.0, 20.0)).unwrap();
        let laid = laid_out(&still, 4);
        assert_eq!(laid[3].1, Vec3::Z * (3.0 * POSE_ROOM_M));
        assert_eq!(laid[0].0, 0.0);
        assert!((laid[3].0 - still.duration_secs()).abs() < 1e-6);
        let walk = MotionClip::new("walk", synth_walk(1.5, 2.0, 20.0)).unwrap();
        assert!(
            laid_out(&walk, 4)
                .iter()
                .all(|(_, shift)| *shift == Vec3::ZERO)
        );
    }
}
