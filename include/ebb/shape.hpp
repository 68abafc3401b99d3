/// \file
/// The shape of what a mask shows: components, their sizes, outlines, axes and boxes.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/shape/boundary.hpp>
#include <ebb/shape/components.hpp>
#include <ebb/shape/csv.hpp>
#include <ebb/shape/measures.hpp>

#include <ebb/core/give_back.inl>
