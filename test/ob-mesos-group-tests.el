;;; ob-mesos-group-tests.el --- One block, many tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; `:instances' and `:foreach'.

;;; Code:

(require 'ob-mesos-flow-tests)

(ert-deftest ob-mesos-instances-know-who-they-are ()
  (should (equal (ob-mesos-tests--run ":instances 3 :results table"
                                      "echo $OB_MESOS_INDEX of $OB_MESOS_COUNT")
                 "| 0 | of | 3 |\n| 1 | of | 3 |\n| 2 | of | 3 |\n")))

(ert-deftest ob-mesos-each-element-has-its-own-lines-in-the-result ()
  (should (equal (ob-mesos-tests--run ":foreach who='(\"ada\" \"bob\")"
                                      "echo \"hello $who\"")
                 ": ==> ada <==\n: hello ada\n: ==> bob <==\n: hello bob\n")))

(ert-deftest ob-mesos-the-rows-of-a-table-are-its-columns-names ()
  (ob-mesos-tests--with
      (concat "#+name: hosts\n| host | port | 2024 |\n|------+------+------|\n| a | 1 | x |\n| b | 2 | y |\n\n"
              (ob-mesos-flow--named "ask" ":foreach row=hosts :results table"
                                    "echo $host $((port * 10)) $row $_2024"))
    (ob-mesos-flow--execute "ask")
    (ob-mesos-tests--settle)
    (should (equal "| a | 10 | a | x |\n| b | 20 | b | y |\n" (ob-mesos-flow--result "ask")))))

(ert-deftest ob-mesos-a-map-over-a-blocks-value-is-reduced-by-another ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "shards" "" "echo 'a b a'; echo 'b c b'")
              (ob-mesos-flow--named
               "map" ":foreach text=shards :results table :lang python"
               "for word in text.split(): print(word, 1)")
              (ob-mesos-flow--named
               "reduce" ":var pairs=map :results table :lang python"
               "counts = {}
for word, n in pairs: counts[word] = counts.get(word, 0) + n
for word in sorted(counts): print(word, counts[word])"))
    (ob-mesos-flow--execute "reduce")
    (ob-mesos-tests--settle)
    (should (equal "| a | 2 |\n| b | 3 |\n| c | 1 |\n"
                   (ob-mesos-flow--result "reduce")))))

(ert-deftest ob-mesos-a-group-without-elements-fails-alone ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "" "echo 1")
              (ob-mesos-flow--named "each" ":foreach n='()" "echo $n")
              (ob-mesos-flow--named "sum" ":var x=each" "echo $x")
              (ob-mesos-flow--named "map" ":foreach x=each" "echo $x")
              (ob-mesos-flow--named "call" ":var x=(error \"No\")" "echo $x")
              (ob-mesos-flow--named "last" ":var x=one" "echo \"got $x\""))
    (ob-mesos--submit-buffer-and-wait)
    (ob-mesos-tests--settle)
    (should (equal ": 1\n" (ob-mesos-flow--result "one")))
    (should (equal ": got 1\n: \n" (ob-mesos-flow--result "last")))
    (should (string-match-p "ERROR: .:foreach. has no elements" (ob-mesos-flow--result "each")))
    (dolist (name '("sum" "map"))
      (should (string-match-p
               "ERROR: The task needs each-.*, which is ERROR: .:foreach. has no elements"
               (ob-mesos-flow--result name))))
    (should (string-match-p "ERROR: No$" (ob-mesos-flow--result "call")))))

(ert-deftest ob-mesos-what-needs-a-group-without-elements-says-why ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "each" ":foreach n='()" "echo $n")
              (ob-mesos-flow--named "sum" ":var x=each" "echo $x"))
    (let ((org-confirm-babel-evaluate nil))
      (ob-mesos-tests--go "#+name: sum")
      (ob-mesos-execute-region (point) (point-max))
      (ob-mesos-tests--wait (lambda () (string-search "ERROR" (buffer-string))))
      (should (string-match-p
               "ERROR: The task needs each-.*, which is ERROR: .:foreach. has no elements"
               (ob-mesos-flow--result "sum")))
      (should-not (string-search "RESULTS: each" (buffer-string))))))

(ert-deftest ob-mesos-without-a-server-the-results-stay ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "" "echo 1") "#+RESULTS: one\n: old 1\n\n"
              (ob-mesos-flow--named "two" "" "echo 2") "#+RESULTS: two\n: old 2\n")
    (let ((ob-mesos--servers nil)
          (ob-mesos--tasks (make-hash-table :test #'equal))
          (ob-mesos-java "no-such-java")
          (text (buffer-string)))
      (should-error (ob-mesos--submit-buffer-and-wait) :type 'user-error)
      (should (equal text (buffer-string))))))

(ert-deftest ob-mesos-a-block-that-the-user-declines-ends-the-run ()
  (ob-mesos-tests--with
      (concat (ob-mesos-flow--named "one" "" "echo 1") "#+RESULTS: one\n: old 1\n\n"
              (ob-mesos-flow--named "two" "" "echo 2") "#+RESULTS: two\n: old 2\n")
    (let ((text (buffer-string))
          (answers '(t nil))
          (org-confirm-babel-evaluate t))
      (cl-letf (((symbol-function 'yes-or-no-p) (lambda (_) (pop answers))))
        (should (equal "two is not run"
                       (cadr (should-error (ob-mesos--submit-buffer-and-wait)
                                           :type 'user-error)))))
      (should (equal text (buffer-string))))))

(ert-deftest ob-mesos-no-server-starts-for-what-is-not-evaluated ()
  (ob-mesos-tests--with (ob-mesos-flow--named "one" ":eval never" "echo 1")
    (let ((ob-mesos--servers nil))
      (ob-mesos--submit-buffer-and-wait)
      (should-not (ob-mesos--live-servers)))))

(ert-deftest ob-mesos-members-that-fail-are-named-beside-those-that-do-not ()
  (let ((result (ob-mesos-tests--run
                 ":foreach n='(1 2 3)" "echo \"n is $n\"; [ $n != 2 ]")))
    (dolist (words '("FAILED: 1 of 3 failed: 2" "\n==> 1 <==\nn is 1\n"
                     "FAILED: Command exited with status 1" "==> 3 <==\nn is 3\n"))
      (should (string-search words result)))))

(ert-deftest ob-mesos-members-are-tried-again-each-for-itself ()
  (let ((file (make-temp-file "ob-mesos")))
    (should (equal (ob-mesos-tests--run
                    ":foreach n='(1 2) :attempts 2"
                    (format "echo $n >> %s; [ $n = 1 ] || [ $(grep -c 2 %s) = 2 ] && echo \"n is $n\""
                            file file))
                   ": ==> 1 <==\n: n is 1\n: ==> 2 <==\n: n is 2\n"))
    (should (equal '("1" "2" "2")
                   (sort (split-string (with-temp-buffer
                                         (insert-file-contents file) (buffer-string)))
                         #'string<)))))

(ert-deftest ob-mesos-partial-results-are-visible-while-a-group-runs ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":foreach n='(1 2)" "echo \"n is $n\"; [ $n = 1 ] || sleep 1000")
    (org-babel-execute-src-block)
    (let ((group (cl-find-if #'ob-mesos-task-members
                             (hash-table-values ob-mesos--tasks))))
      (ob-mesos-tests--wait
       (lambda ()
         (setq group (cl-find-if (lambda (task)
                                   (and (ob-mesos-task-members task)
                                        (not (ob-mesos-task-done task))))
                                 (hash-table-values ob-mesos--tasks)))
         (and group (= 1 (ob-mesos-task-left group)))))
      (ob-mesos--show group)
      (should (string-match-p ": mesos:block-[a-z2-7]+ RUNNING 1 of 2 done\n: | 1: n is 1\n"
                              (ob-mesos-tests--results)))
      (ob-mesos-kill)
      (ob-mesos-tests--settle)
      (should (string-search "KILLED" (ob-mesos-tests--results))))))

(ert-deftest ob-mesos-a-group-is-found-again-by-its-placeholder ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":foreach n='(1 2)" "sleep 0.3; echo \"n is $n\"")
    (org-babel-execute-src-block)
    (let ((group (cl-find-if (lambda (task)
                               (and (ob-mesos-task-members task)
                                    (not (ob-mesos-task-done task))))
                             (hash-table-values ob-mesos--tasks))))
      (ob-mesos--show group)
      (clrhash ob-mesos--tasks)
      (ob-mesos-reconnect)
      (ob-mesos-tests--settle)
      (ob-mesos-tests--wait (lambda () (string-search "n is 2" (buffer-string))))
      (should (equal ": ==> 1 <==\n: n is 1\n: ==> 2 <==\n: n is 2\n"
                     (ob-mesos-tests--results))))))

(ert-deftest ob-mesos-another-emacs-knows-the-elements-of-a-group ()
  (dolist (fails '(nil t))
    (let ((go (expand-file-name "go" (make-temp-file "ob-mesos" t))))
      (ob-mesos-tests--with
          (ob-mesos-tests--block
           ":foreach x='(\"alpha\" \"beta\")"
           (format "until [ -e %s ]; do sleep 0.05; done; echo $x%s" go
                   (if fails "; [ $x = alpha ]" "")))
        (ob-mesos-execute)
        (ob-mesos-tests--wait
         (lambda () (= 2 (length (cl-remove-if-not #'ob-mesos-task-data
                                                   (ob-mesos--running))))))
        (clrhash ob-mesos--tasks)
        (ob-mesos-reconnect)
        (write-region "" nil go nil 'silent)
        (ob-mesos-tests--settle)
        (if fails
            (should (string-search "1 of 2 failed: beta" (buffer-string)))
          (should (string-search ": ==> alpha <==\n: alpha\n: ==> beta <==\n: beta\n"
                                 (buffer-string))))))))

(ert-deftest ob-mesos-a-column-without-a-name-is-no-variable ()
  (dolist (heading '("" "ü" "%"))
    (ob-mesos-tests--with
        (ob-mesos-tests--block (format ":foreach x='((%S \"a\") hline (1 2))" heading)
                               "echo $a $x; set | grep -c ^_=1")
      (ob-mesos-execute)
      (ob-mesos-tests--settle)
      (should (string-search ": 2 1\n" (buffer-string))))))

(ert-deftest ob-mesos-bad-fan-outs-are-refused ()
  (dolist (case '((":instances 0" . ":instances. cannot be 0")
                  (":instances many" . ":instances. cannot be")
                  (":foreach '(1 2)" . ":foreach. cannot be")
                  (":foreach x='()" . "no elements")
                  (":foreach x='((\"Name a\" \"Name-a\") hline (1 2))" . "variable name, Name_a")
                  (":foreach x='(1) :instances 2" . "cannot be used together")))
    (ob-mesos-tests--with (ob-mesos-tests--block (car case) "true")
      (should (string-match-p (cdr case)
                              (error-message-string
                               (should-error (org-babel-execute-src-block)
                                             :type 'user-error)))))))

(ert-deftest ob-mesos-a-long-value-is-not-repeated-in-the-message ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":foreach (number-sequence 1 10000)" "true")
    (let ((message (error-message-string
                    (should-error (org-babel-execute-src-block) :type 'user-error))))
      (should (string-search "cannot be \"(1 2 3 4" message))
      (should (string-search "it is NAME=LIST" message))
      (should (< (length message) 300)))))

(ert-deftest ob-mesos-the-heading-of-a-column-is-no-element ()
  (ob-mesos-tests--with
      (concat "#+name: hosts\n| name | port |\n|------+------|\n| alpha | 1 |\n| beta | 2 |\n\n"
              (ob-mesos-tests--block ":foreach x=hosts[,0] :results table" "echo $x ."))
    (search-forward "#+begin_src")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-suffix-p "#+RESULTS:\n| alpha | . |\n| beta  | . |\n" (buffer-string)))))

(ert-deftest ob-mesos-members-with-one-title-are-told-apart ()
  (ob-mesos-tests--with (ob-mesos-tests--block ":foreach x='(0 1 0)" "echo $OB_MESOS_INDEX")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (let (offered)
      (save-window-excursion
        (cl-letf (((symbol-function 'completing-read)
                   (lambda (_prompt choices &rest _)
                     (setq offered (mapcar #'car choices))
                     "0 (2)")))
          (dolist (command (list #'ob-mesos-log
                                 (lambda () (run-hook-with-args
                                             'ob-mesos-follow-functions
                                             (gethash (ob-mesos--id-at-point)
                                                      ob-mesos--tasks)))))
            (save-current-buffer
              (funcall command)
              (let ((log (window-buffer)))
                (ob-mesos-tests--wait
                 (lambda () (equal "2\n" (with-current-buffer log (buffer-string)))))
                (ob-mesos-tests--wait
                 (lambda () (null (buffer-local-value 'ob-mesos-log--timer log))))
                (kill-buffer log))))))
      (should (equal '("0 (0)" "1" "0 (2)") offered)))))

(ert-deftest ob-mesos-a-group-is-a-list-of-the-lines-of-its-members ()
  (ob-mesos-tests--with
      (ob-mesos-tests--block ":foreach x='(\"1 a\" \"2\") :results list" "echo $x; echo .")
    (ob-mesos-execute)
    (ob-mesos-tests--settle)
    (should (string-suffix-p "#+RESULTS:\n- 1 a\n- .\n- 2\n- .\n" (buffer-string)))))

(ert-deftest ob-mesos-a-group-with-one-row-is-a-table ()
  (should (equal "| alpha | 8080 |\n"
                 (ob-mesos-tests--run ":foreach x='(8080) :results table" "echo alpha $x")))
  (should (equal "| 1 |\n"
                 (ob-mesos-tests--run ":foreach x='(1) :results table" "echo $x"))))

(provide 'ob-mesos-group-tests)
;;; ob-mesos-group-tests.el ends here
