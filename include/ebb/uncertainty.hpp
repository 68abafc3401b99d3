/// \file
/// How sure a prediction is: averages over dropout, ensembles and flips, conformal sets, and when
/// to refer to a clinician.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/uncertainty/conformal.hpp>
#include <ebb/uncertainty/ensemble.hpp>
#include <ebb/uncertainty/monte_carlo_dropout.hpp>
#include <ebb/uncertainty/prediction.hpp>
#include <ebb/uncertainty/selective.hpp>
#include <ebb/uncertainty/test_time.hpp>

#include <ebb/core/give_back.inl>
