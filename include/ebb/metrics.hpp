/// \file
/// How good a classifier or a segmentation is, and how sure that figure: ROC and precision-recall
/// curves, areas with intervals, confusion matrices, agreement, calibration, overlap and surfaces.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/metrics/agreement.hpp>
#include <ebb/metrics/bootstrap.hpp>
#include <ebb/metrics/calibration.hpp>
#include <ebb/metrics/confusion.hpp>
#include <ebb/metrics/distance_transform.hpp>
#include <ebb/metrics/interval.hpp>
#include <ebb/metrics/operating_point.hpp>
#include <ebb/metrics/overlap.hpp>
#include <ebb/metrics/precision_recall.hpp>
#include <ebb/metrics/roc.hpp>
#include <ebb/metrics/surface.hpp>
#include <ebb/metrics/temperature.hpp>

#include <ebb/core/give_back.inl>
