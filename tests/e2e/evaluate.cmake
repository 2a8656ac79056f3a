# undertone replay --labels --evaluate and --sweep, and other shapes of recorded calls.
if(TARGET undertone AND Python3_EXECUTABLE)
    add_test(NAME e2e.evaluate
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/test_evaluate.py
                     $<TARGET_FILE:undertone>)
    set_tests_properties(e2e.evaluate PROPERTIES TIMEOUT 300)
endif()
