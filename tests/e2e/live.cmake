# The two programs together, in real time, with a disordered transcript; judged by the checker.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(TARGET undertone AND TARGET undertone-sim)
    add_test(NAME e2e.live
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_live.py
                     --undertone $<TARGET_FILE:undertone> --sim $<TARGET_FILE:undertone-sim>
                     --out ${CMAKE_BINARY_DIR}/e2e/live --calls 12 --seconds 75 --tls
                     --late 0.02 --revised 0.05 --duplicated 0.05 --out-of-order 0.05
                     --p50 2 --p99 6 --first-suggestion 60 --min-served-final 50
                     --min-suggestions 1 --min-calls-checked 1)
    set_tests_properties(e2e.live PROPERTIES RUN_SERIAL TRUE TIMEOUT 240 LABELS live)

    # The real platform's shapes: discovery, an access key and refresh tokens that live 8 s, a contact
    # list of several pages, chats by JSON pointers, signals.
    add_test(NAME e2e.live_real
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_live.py
                     --undertone $<TARGET_FILE:undertone> --sim $<TARGET_FILE:undertone-sim>
                     --out ${CMAKE_BINARY_DIR}/e2e/live_real --profile cxone-real --calls 30
                     --seconds 25 --duplicated 0.05 --out-of-order 0.05 --late 0.02
                     --sim-option=--expires-in=8 --min-served-final 50 --min-suggestions 1
                     --min-calls-checked 20)
    set_tests_properties(e2e.live_real PROPERTIES RUN_SERIAL TRUE TIMEOUT 240 LABELS live)

    # Transcripts pushed over the experimental socket, which is cut every 12 s: then calls are polled.
    add_test(NAME e2e.live_socket
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_live.py
                     --undertone $<TARGET_FILE:undertone> --sim $<TARGET_FILE:undertone-sim>
                     --out ${CMAKE_BINARY_DIR}/e2e/live_socket --socket --socket-drop 12 --calls 12
                     --seconds 40 --min-served-final 40 --min-suggestions 1 --min-calls-checked 5)
    set_tests_properties(e2e.live_socket PROPERTIES RUN_SERIAL TRUE TIMEOUT 240 LABELS live)

    # The same with everything that a script can make go wrong: what is promised must hold all the
    # same, and --expect sees to it that it did go wrong.
    add_test(NAME e2e.live_disorder
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_live.py
                     --undertone $<TARGET_FILE:undertone> --sim $<TARGET_FILE:undertone-sim>
                     --out ${CMAKE_BINARY_DIR}/e2e/live_disorder --calls 40 --seconds 90
                     --script ${CMAKE_SOURCE_DIR}/sim/scripts/everything.yaml
                     --expect denied --expect masked --expect transferred --expect displaced
                     --expect past --expect revoke_tokens --expect break --min-suggestions 1
                     --min-served-final 200 --min-calls-checked 20)
    set_tests_properties(e2e.live_disorder PROPERTIES RUN_SERIAL TRUE TIMEOUT 240 LABELS live)

    # Killed twenty times over one store; and over one that was full at first. Sanitizers make the
    # scorer so slow that only few calls can be followed.
    set(kill_load --kills 20 --calls 40 --min-served-final 100 --min-suggestions 1)
    set(full_load --kills 2 --calls 40)
    if(UNDERTONE_SANITIZE OR UNDERTONE_TSAN)
        set(kill_load --kills 6 --calls 8)
        set(full_load --kills 2 --calls 16)
    endif()
    add_test(NAME e2e.kill
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_kill.py
                     --undertone $<TARGET_FILE:undertone> --sim $<TARGET_FILE:undertone-sim>
                     --out ${CMAKE_BINARY_DIR}/e2e/kill ${kill_load} --min-calls-checked 5)
    set_tests_properties(e2e.kill PROPERTIES RUN_SERIAL TRUE TIMEOUT 240 LABELS live)
    add_test(NAME e2e.full_store
             COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_SOURCE_DIR}/tests/e2e/run_kill.py
                     --undertone $<TARGET_FILE:undertone> --sim $<TARGET_FILE:undertone-sim>
                     --out ${CMAKE_BINARY_DIR}/e2e/full_store ${full_load}
                     --full-first 53248 --min-calls-checked 5)
    set_tests_properties(e2e.full_store PROPERTIES RUN_SERIAL TRUE TIMEOUT 240 LABELS live)
endif()
