# Builds and runs the project in KIND/, in SCRATCH, against an installed ebb or its sources.

cmake_minimum_required(VERSION 3.22)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nends with ${status}:\n${text}")
  endif()
  set(text "${text}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})
set(options "")
if(KIND MATCHES "^(find|pkg)")
  run(${CMAKE_COMMAND} --install ${EBB_BUILD} --prefix ${SCRATCH}/first)
  # Moved after the installation: nothing in it may hold the path.
  file(RENAME ${SCRATCH}/first ${SCRATCH}/prefix)
  list(APPEND options -DCMAKE_PREFIX_PATH=${SCRATCH}/prefix)
  set(ENV{PKG_CONFIG_PATH} ${SCRATCH}/prefix/share/pkgconfig)
elseif(KIND STREQUAL "fetch_content")
  execute_process(COMMAND ${CMAKE_COMMAND} -E tar czf ${SCRATCH}/ebb.tar.gz
    CMakeLists.txt LICENSE include WORKING_DIRECTORY ${EBB_SOURCE} COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND options -DEBB_ARCHIVE=${SCRATCH}/ebb.tar.gz -DEBB_OPENMP=${OPENMP})
else()
  list(APPEND options -DEBB_SOURCE=${EBB_SOURCE} -DEBB_OPENMP=${OPENMP})
endif()

# Who sets no build type is told, once, that the program will be slow; who sets one is not.
if(KIND MATCHES "^(add_subdirectory|find_package)$")
  set(hint "no build type is set")
  run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/${KIND} -B ${SCRATCH}/untyped -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} ${options})
  string(REGEX MATCHALL "${hint}" hints "${text}")
  list(LENGTH hints count)
  if(NOT count EQUAL 1 AND NOT GENERATOR MATCHES "Multi|Visual|Xcode")
    message(FATAL_ERROR "without a build type, '${hint}' is said ${count} times:\n${text}")
  endif()
endif()

run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/${KIND} -B ${SCRATCH}/build -G ${GENERATOR}
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER=${COMPILER} "-DCMAKE_CXX_FLAGS=${FLAGS}"
  -DCMAKE_RUNTIME_OUTPUT_DIRECTORY=${SCRATCH}/bin ${options})
if(text MATCHES "no build type is set")
  message(FATAL_ERROR "with a build type, none is missed:\n${text}")
endif()
run(${CMAKE_COMMAND} --build ${SCRATCH}/build --config Debug)
file(GLOB_RECURSE program ${SCRATCH}/bin/consumer*)
run(${CMAKE_COMMAND} -E chdir ${SCRATCH} ${program})
message("${text}")
