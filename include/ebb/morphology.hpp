/// \file
/// The shape of what a mask shows: components, their sizes, outlines, axes and boxes.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/morphology/boundary.hpp>
#include <ebb/morphology/components.hpp>
#include <ebb/morphology/csv.hpp>
#include <ebb/morphology/measures.hpp>

#include <ebb/core/give_back.inl>
