/// \file
/// Update rules and what surrounds them.
#pragma once

#include <ebb/optim/adadelta.hpp>
#include <ebb/optim/adagrad.hpp>
#include <ebb/optim/adam.hpp>
#include <ebb/optim/clip.hpp>
#include <ebb/optim/gradient_descent.hpp>
#include <ebb/optim/lbfgs.hpp>
#include <ebb/optim/lion.hpp>
#include <ebb/optim/nadam.hpp>
#include <ebb/optim/optimizer.hpp>
#include <ebb/optim/rmsprop.hpp>
#include <ebb/optim/schedule/cosine.hpp>
#include <ebb/optim/schedule/one_cycle.hpp>
#include <ebb/optim/schedule/plateau.hpp>
#include <ebb/optim/schedule/scheduler.hpp>
#include <ebb/optim/schedule/step.hpp>
#include <ebb/optim/schedule/warm_up.hpp>
#include <ebb/optim/sgd.hpp>
#include <ebb/optim/stopping.hpp>
