# Documents that must say what the program does.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME lint.events COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/check_events.py)
set_tests_properties(lint.events PROPERTIES LABELS lint TIMEOUT 60)
