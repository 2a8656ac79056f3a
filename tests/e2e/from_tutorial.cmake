# docs/FROM-THE-TUTORIAL.md names a test for each claim: they must exist.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME lint.from_tutorial
         COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/check_from_tutorial.py)
set_tests_properties(lint.from_tutorial PROPERTIES LABELS lint TIMEOUT 60)
