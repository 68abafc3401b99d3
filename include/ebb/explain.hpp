/// \file
/// What a network looked at: attributions, heat maps over images, and a check of the methods. Needs
/// stb_image_write (overlays); include the headers of explain/ one by one to do without.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/explain/grad_cam.hpp>
#include <ebb/explain/integrated_gradients.hpp>
#include <ebb/explain/occlusion.hpp>
#include <ebb/explain/overlay.hpp>
#include <ebb/explain/randomisation.hpp>
#include <ebb/explain/saliency.hpp>
#include <ebb/explain/scores.hpp>
#include <ebb/explain/smooth_grad.hpp>

#include <ebb/core/give_back.inl>
