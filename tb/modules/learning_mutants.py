"""Named mistakes in the core that learns, by the module that they stand in."""

from tb.modules.mutant import Mutant, mistake

MISTAKES: dict[str, tuple[Mutant, ...]] = {
    "mlp_lfsr": (
        mistake("another-tap", "hard-4-exp", "16'hB400 : 16'h0000", "16'hB500 : 16'h0000"),
    ),
    "mlp_learn_control": (
        mistake(
            "network-of-a-short-load",
            "hard-4-exp",
            "(loads && load_last && tail_q == LAST_TAIL)",
            "(loads && load_last)",
        ),
    ),
    "mlp_learn_input": (
        mistake(
            "learns-a-label-of-no-class",
            "hard-4-exp",
            "{1'b0, out_label} < LABELS",
            "{1'b0, out_label} <= LABELS",
        ),
    ),
    "mlp_learn_lane": (
        mistake(
            "backward-without-deltas",
            "hard-4-exp",
            "in_backward || in_update ? in_d :",
            "in_update ? in_d :",
        ),
    ),
    "mlp_learn_dither": (
        mistake(
            "update-rounds-to-nearest",
            "hard-4-exp",
            "dither <= lfsr[DROP_MAX-1:0] & low_bits(early);",
            "dither <= (low_bits(early) >> 1) + 1'b1;",
        ),
        mistake(
            "no-dither",
            "hard-4-exp",
            "lfsr[DROP_MAX-1:0] & low_bits(early)",
            "lfsr[DROP_MAX-1:0] & low_bits(early) & {DROP_MAX{1'b0}}",
        ),
        mistake(
            "dither-with-a-bit-too-many",
            "hard-4-exp",
            "k < DROP_MIN + $signed",
            "k < DROP_MIN + 1 + $signed",
        ),
    ),
    "mlp_learn_random": (
        mistake(
            "dither-of-the-next-sample",
            "iris-6-exp",
            "mlp_delay #(.W(1), .CYCLES(2)) u_dithers",
            "mlp_delay #(.W(1), .CYCLES(0)) u_dithers",
        ),
        mistake(
            "step-after-the-update",
            "hard-4-exp",
            ".CYCLES(2)) u_dithers",
            ".CYCLES(150)) u_dithers",
        ),
    ),
    "mlp_learn_lanes": (
        mistake(
            "dither-a-lane",
            "hard-4-exp",
            ".update_dither(dither)",
            ".update_dither(dither ^ {{(DROP_MAX-1){1'b0}}, PLACE[0]})",
        ),
    ),
    "mlp_learn_phase": (
        mistake(
            "updates-first-to-last",
            "hard-4-exp",
            (
                "                    next_phase = UPDATE;\n"
                "                    next_layer = FINAL[LAYER_W-1:0];\n"
                "                end else if (pass)\n"
                "                    next_layer = layer - 1'b1;\n"
                "            UPDATE:\n"
                "                if (pass && first)\n"
                "                    next_phase = IDLE;\n"
                "                else if (pass)\n"
                "                    next_layer = layer - 1'b1;"
            ),
            (
                "                    next_phase = UPDATE;\n"
                "                    next_layer = {LAYER_W{1'b0}};\n"
                "                end else if (pass)\n"
                "                    next_layer = layer - 1'b1;\n"
                "            UPDATE:\n"
                "                if (pass && final_layer)\n"
                "                    next_phase = IDLE;\n"
                "                else if (pass)\n"
                "                    next_layer = layer + 1'b1;"
            ),
        ),
        mistake(
            "deltas-from-moved-weights",
            "hard-4-exp",
            (
                "!learn ? ANSWER : N_LAYERS == 1 ? UPDATE : BACKWARD;\n"
                "                else if (pass)\n"
                "                    next_layer = layer + 1'b1;\n"
                "            BACKWARD:\n"
                "                if (pass && layer == SECOND[LAYER_W-1:0]) begin\n"
                "                    next_phase = UPDATE;\n"
                "                    next_layer = FINAL[LAYER_W-1:0];\n"
                "                end else if (pass)\n"
                "                    next_layer = layer - 1'b1;\n"
                "            UPDATE:\n"
                "                if (pass && first)\n"
                "                    next_phase = IDLE;\n"
                "                else if (pass)\n"
                "                    next_layer = layer - 1'b1;"
            ),
            (
                "!learn ? ANSWER : UPDATE;\n"
                "                else if (pass)\n"
                "                    next_layer = layer + 1'b1;\n"
                "            BACKWARD:\n"
                "                if (pass) begin\n"
                "                    next_phase = UPDATE;\n"
                "                    next_layer = layer - SECOND[LAYER_W-1:0];\n"
                "                end\n"
                "            UPDATE:\n"
                "                if (pass && first)\n"
                "                    next_phase = IDLE;\n"
                "                else if (pass)\n"
                "                    next_phase = BACKWARD;"
            ),
        ),
    ),
    "mlp_learn_timing": (
        mistake(
            "one-use-of-fc2-forgotten",
            "hard-4-exp",
            "assign moves      = valid_update[5];",
            (
                "assign moves      = valid_update[5] && !skips;\n"
                "    wire skips;\n"
                "    mlp_delay #(.W(1), .CYCLES(4)) u_skips (.clk(clk), .rst(1'b0), .en(1'b1),\n"
                "        .in_data(layer == 2), .out_data(skips));"
            ),
        ),
    ),
    "mlp_learn_backward": (
        mistake(
            "mask-by-the-sign",
            "hard-4-exp",
            "in_y[k*8 +: 8] == 8'd0",
            "in_y[k*8+7]",
        ),
        mistake(
            "counts-no-delta-that-saturates",
            "hard-4-exp",
            ".in_valid(there), .in_acc(masked)",
            ".in_valid(there && relu), .in_acc(masked)",
        ),
    ),
    "mlp_learn_engine": (
        mistake(
            "counts-no-bias",
            "hard-4-exp",
            "bias_moves && clamps_bias",
            "1'b0 && clamps_bias",
        ),
        mistake(
            "counts-masters-that-stay",
            "hard-4-exp",
            "{LANES{moves}} & clamps",
            "clamps",
        ),
    ),
    "mlp_learn_forward": (
        mistake(
            "counts-what-a-relu-hides",
            "hard-4-exp",
            "acc_valid && !(acc_relu && acc[ACC_W-1])",
            "acc_valid",
        ),
    ),
    "mlp_learn_clamps": (
        mistake(
            "counts-what-rounds-to-the-most",
            "hard-4-exp",
            "halves >= $signed(MOST)",
            "halves >= $signed(MOST) - 1",
        ),
    ),
    "mlp_learn_counts": (
        mistake(
            "counts-a-word-once",
            "hard-4-exp",
            "several <= ones(flags);",
            "several <= 1;",
        ),
        mistake(
            "counts-across-a-load",
            "hard-4-exp",
            "if (clear) begin",
            "if (clear && activations[31]) begin",
        ),
    ),
    "mlp_learn_answer": (
        mistake(
            "counts-what-was-not-wrong",
            "hard-4-exp",
            "p_class} != label",
            "p_class} == label",
        ),
    ),
    "mlp_learn_mask": (
        mistake(
            "no-mask",
            "hard-4-exp",
            "!(in_relu && in_zero)",
            "!in_relu || 1'b1",
        ),
        mistake(
            "masks-without-a-relu",
            "hard-4-exp",
            "in_relu && in_zero",
            "in_zero",
        ),
    ),
    "mlp_learn_bias": (
        mistake(
            "bias-moves-by-d-alone",
            "hard-4-exp",
            "{{8{d[15]}}, d} << frac;",
            "{{8{d[15]}}, d} << (frac & 4'd0);",
        ),
        mistake(
            "bias-without-its-shift",
            "hard-4-exp",
            "$signed(next_master) >>> (4'd8 - frac_a)",
            "$signed(next_master) >>> (4'd8 - (frac_a & 4'd0))",
        ),
    ),
    "mlp_learn_order": (
        mistake(
            "order-with-an-even-step",
            "hard-4-exp",
            "{7'd0, word[15:8], 1'b1}",
            "{7'd0, word[15:8], 1'b0}",
        ),
    ),
    "mlp_learn_rate": (
        mistake(
            "rate-an-epoch-late",
            "hard-4-exp",
            "now >= all[16*k +: 16]",
            "now > all[16*k +: 16]",
        ),
    ),
    "mlp_learn_update": (
        mistake(
            "master-that-wraps",
            "hard-4-exp",
            "fits ? diff[M_W-1:0] :",
            "fits || !fits ? diff[M_W-1:0] :",
        ),
    ),
    "mlp_learn_error": (
        mistake(
            "error-against-256",
            "hard-4-exp",
            "$signed({2'b00, {8{beat[16]}}})",
            "$signed({1'b0, beat[16], 8'd0})",
        ),
        mistake(
            "slope-of-one",
            "hard-4-taylor2",
            "error * $signed(slope)",
            "error * $signed({slope[9:0] & 10'd0 | 10'd256})",
        ),
    ),
    "mlp_learn_layers": (
        mistake(
            "reads-a-word-under-way",
            "hard-5-exp",
            "localparam BRIEF   = 6;",
            "localparam BRIEF   = 1;",
        ),
    ),
    "mlp_learn_sequence": (
        mistake("gap-too-short", "hard-5-exp", "GAP = 3'd5;", "GAP = 3'd1;"),
        mistake(
            "drain-overrun",
            "hard-4-exp",
            "out_backward && ends_n && since != LANES[SINCE_W-1:0]",
            "out_backward && ends_n && since == {SINCE_W{1'b0}}",
        ),
        mistake(
            "uses-a-delta-before-it-is-there",
            "hard-4-exp",
            "!forward ? out_d < d_count",
            "!forward ? out_d < d_count + 1'b1",
        ),
    ),
    "mlp_learn_pack": (
        mistake(
            "fills-up-with-what-was-there",
            "hard-4-exp",
            "first ? 8'd0 : in_x;",
            "in_x;",
        ),
    ),
    "mlp_learn_host": (
        mistake(
            "resumes-at-the-next-sample",
            "hard-4-exp",
            "3'd2:    word_data <= index;",
            "3'd2:    word_data <= index + 16'd1;",
        ),
    ),
}
