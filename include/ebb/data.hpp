/// \file
/// Datasets, readers, transforms and the loader. Needs zlib (IDX files) and stb_image (image
/// files); include the headers of data/ one by one to do without.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/data/augment/augment.hpp>
#include <ebb/data/augment/fit.hpp>
#include <ebb/data/augment/image.hpp>
#include <ebb/data/augment/intensity.hpp>
#include <ebb/data/augment/paired.hpp>
#include <ebb/data/augment/random.hpp>
#include <ebb/data/augment/transforms.hpp>
#include <ebb/data/augment/warp.hpp>
#include <ebb/data/drawn/stroke_digits.hpp>
#include <ebb/data/load/loader.hpp>
#include <ebb/data/read/array.hpp>
#include <ebb/data/read/idx.hpp>
#include <ebb/data/read/image_file.hpp>
#include <ebb/data/read/nifti.hpp>
#include <ebb/data/read/npy.hpp>
#include <ebb/data/read/npz.hpp>
#include <ebb/data/sets/dataset.hpp>
#include <ebb/data/sets/image_folder.hpp>
#include <ebb/data/sets/masked_images.hpp>
#include <ebb/data/sets/medmnist.hpp>
#include <ebb/data/sets/mnist.hpp>
#include <ebb/data/sets/tensor_set.hpp>

#include <ebb/core/give_back.inl>
