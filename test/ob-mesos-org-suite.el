;;; ob-mesos-org-suite.el --- Org's own tests, on the cluster  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Runs the tests of a checkout of Org with `:mesos yes :wait yes' as default
;; header arguments of the languages that start a process for each block:
;; such a block must do on the cluster what it does here.  Start it with
;; `./ob-mesos test --org DIRECTORY'.

;;; Code:

(require 'ert)
(require 'org)
(require 'ob)
(require 'org-id)
(require 'ob-mesos)

(defconst ob-mesos-org-suite--files
  '("test-ob-shell" "test-ob-python" "test-ob-perl" "test-ob-awk" "test-ob-sed"
    "test-ob-exp" "test-ob-lob" "test-ob" "test-ob-table"
    "test-ob-header-arg-defaults")
  "The files of Org's testing/lisp that are run.")

(defconst ob-mesos-org-suite--sessions
  '(test-ob-python/assign-underscore test-ob-python/async-local-python-shell
    test-ob-python/async-named-output test-ob-python/async-output-drawer
    test-ob-python/async-simple-session-output test-ob-python/if-else-block
    test-ob-python/indent-block-with-blank-lines
    test-ob-python/insert-necessary-blank-line-when-sending-code-to-interpreter
    test-ob-python/session-multiline test-ob-python/session-restart
    test-ob-python/session-value-sleep
    test-ob-python/session-with-existing-inferior-python
    test-ob-shell/session-async-evaluation
    test-ob-shell/session-async-inserts-uuid-before-results-are-returned
    test-ob-shell/session-async-results
    test-ob-shell/session-async-valid-header-arg-values)
  "Tests whose blocks have a session, which a cluster has not.")

(defconst ob-mesos-org-suite--local
  '(;; sed is to edit a file of this machine in place.
    ob-sed-test/cmd-line-header-argument
    ;; The working directory is to be that of the document.
    test-ob-shell/remote-with-stdin-or-cmdline)
  "Tests of what happens to this machine's files.")

(defun ob-mesos-org-suite-batch ()
  "Run the tests of the checkout of Org named on the command line."
  (let* ((org (expand-file-name (pop command-line-args-left)))
         (testing (expand-file-name "testing" org)))
    (add-to-list 'load-path testing)
    (require 'org-test (expand-file-name "org-test.el" testing))
    (org-babel-do-load-languages
     'org-babel-load-languages
     '((shell . t) (python . t) (perl . t) (awk . t) (sed . t) (emacs-lisp . t)
       (org . t)))
    (setq org-confirm-babel-evaluate nil
          ob-mesos-server-arguments
          (list "--state-dir" (make-temp-file "ob-mesos-org" t)))
    (ob-mesos-global-mode)
    (dolist (language '("sh" "bash" "shell" "python" "perl" "awk" "sed"))
      (let ((defaults (intern (concat "org-babel-default-header-args:" language))))
        (set defaults (append '((:mesos . "yes") (:wait . "yes"))
                              (and (boundp defaults) (symbol-value defaults))))))
    (dolist (file ob-mesos-org-suite--files)
      (load (expand-file-name (concat "lisp/" file ".el") testing)))
    (setq org-id-track-globally t
          org-id-locations-file (make-temp-file "ob-mesos-org"))
    (org-id-update-id-locations
     (directory-files (expand-file-name "examples" testing) t "\\.org\\'"))
    (setq default-directory (expand-file-name "examples/" testing))
    (ert-run-tests-batch-and-exit
     `(not (member ,@ob-mesos-org-suite--sessions ,@ob-mesos-org-suite--local)))))

(provide 'ob-mesos-org-suite)
;;; ob-mesos-org-suite.el ends here
