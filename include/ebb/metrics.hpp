/// \file
/// How good a classifier is, and how sure that figure: ROC curves, areas with intervals, agreement.
#pragma once

#include <ebb/metrics/agreement.hpp>
#include <ebb/metrics/interval.hpp>
#include <ebb/metrics/roc.hpp>
