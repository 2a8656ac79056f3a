# Documents that must say what the program does.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME lint.events COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tools/check_events.py)
set_tests_properties(lint.events PROPERTIES LABELS lint TIMEOUT 60)

# To renew it: undertone config document --metrics > docs/METRICS.md
add_test(NAME lint.metrics_document
         COMMAND sh -c "$<TARGET_FILE:undertone> config document --metrics | diff -u '${CMAKE_SOURCE_DIR}/docs/METRICS.md' -")
set_tests_properties(lint.metrics_document PROPERTIES LABELS lint TIMEOUT 30)
