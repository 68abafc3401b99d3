/// \file
/// Networks that are known by name, and how the values between their parts are seen.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/models/alexnet.hpp>
#include <ebb/models/lenet5.hpp>
#include <ebb/models/medical_cnn.hpp>
#include <ebb/models/probe.hpp>
#include <ebb/models/resnet.hpp>
#include <ebb/models/tiled.hpp>
#include <ebb/models/unet.hpp>

#include <ebb/core/give_back.inl>
