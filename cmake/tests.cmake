# Every tests/unit/ROOM/test_*.c and tests/golden/test_*.c is one cmocka program and one CTest entry.
set(UNDERTONE_TEST_DEFINITIONS UNDERTONE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")

# The sanitizers make whole models up to forty times slower.
set(unit_timeout_s 120)
if(UNDERTONE_SANITIZE OR UNDERTONE_TSAN)
    set(unit_timeout_s 400)
endif()

function(undertone_unit_tests room)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${room}/test_*.c)
    foreach(source ${sources})
        get_filename_component(stem ${source} NAME_WE)
        string(REGEX REPLACE "^test_" "" stem ${stem})
        set(target test_${room}_${stem})
        add_executable(${target} ${source})
        target_compile_definitions(${target} PRIVATE ${UNDERTONE_TEST_DEFINITIONS})
        target_link_libraries(${target} PRIVATE ut_${room} ut::cmocka m)
        add_test(NAME unit.${room}.${stem} COMMAND ${target})
        set_tests_properties(unit.${room}.${stem} PROPERTIES TIMEOUT ${unit_timeout_s})
    endforeach()
endfunction()

foreach(room base net nlp redact cues mood eval decisions store cxone flow model config app commands sim)
    undertone_unit_tests(${room})
endforeach()

# Its server chooses HTTP/2 in the TLS handshake.
target_link_libraries(test_net_http2 PRIVATE ut_sim ut::openssl)

file(GLOB golden_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/golden/test_*.c)
foreach(source ${golden_sources})
    get_filename_component(stem ${source} NAME_WE)
    string(REGEX REPLACE "^test_" "" stem ${stem})
    add_executable(test_golden_${stem} ${source})
    target_compile_definitions(test_golden_${stem} PRIVATE ${UNDERTONE_TEST_DEFINITIONS})
    target_link_libraries(test_golden_${stem} PRIVATE ut_commands ut::cmocka m)
    add_test(NAME golden.${stem} COMMAND test_golden_${stem})
    set_tests_properties(golden.${stem} PROPERTIES TIMEOUT 600)
endforeach()

include(${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz.cmake)
include(${CMAKE_SOURCE_DIR}/tests/simulation/simulation.cmake)

# Black-box tests: tests/e2e/*.cmake fragments register Python-driven tests of the built programs.
file(GLOB e2e_fragments CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/e2e/*.cmake)
foreach(fragment ${e2e_fragments})
    include(${fragment})
endforeach()
