/// \file
/// Datasets, readers, transforms and the loader. Needs zlib (IDX files) and stb_image (image
/// files); include the headers of data/ one by one to do without.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/data/array.hpp>
#include <ebb/data/augment.hpp>
#include <ebb/data/dataset.hpp>
#include <ebb/data/fit.hpp>
#include <ebb/data/idx.hpp>
#include <ebb/data/image_file.hpp>
#include <ebb/data/image_folder.hpp>
#include <ebb/data/intensity.hpp>
#include <ebb/data/loader.hpp>
#include <ebb/data/masked_images.hpp>
#include <ebb/data/medmnist.hpp>
#include <ebb/data/mnist.hpp>
#include <ebb/data/nifti.hpp>
#include <ebb/data/npy.hpp>
#include <ebb/data/npz.hpp>
#include <ebb/data/pair_loader.hpp>
#include <ebb/data/paired.hpp>
#include <ebb/data/random.hpp>
#include <ebb/data/stroke_digits.hpp>
#include <ebb/data/transforms.hpp>
#include <ebb/data/warp.hpp>

#include <ebb/core/give_back.inl>
