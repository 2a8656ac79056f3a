# Short names for the usual commands; the build itself is CMake's (CMakePresets.json).
.PHONY: help demo check asan bench lint

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r name what; do \
	    printf '%-8s %s\n' "$$name" "$$what"; done

demo: ## undertone at work on simulated calls, until Ctrl-C
	./demo.sh

check: ## build and run all tests, optimised
	./test.sh --quick

asan: ## build and run the unit and golden tests under sanitizers
	cmake --preset asan
	cmake --build --preset asan
	ctest --preset asan -R '^(unit|golden)\.'

bench: ## measure the transformer engine on this machine
	cmake --preset release
	cmake --build --preset release --target undertone
	build/release/undertone bench --model models/undertone-minilm-l6

lint: ## check rooms, symbols, style, commit messages and formatting
	cmake --preset release
	cmake --build --preset release
	ctest --preset release -L lint
	tools/check_format.sh
