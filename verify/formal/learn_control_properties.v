// SPDX-License-Identifier: MIT
// learn_control_properties - mlp_learn_control does one thing at a time, and lets no update be lost
//
// Who loads, starts, saves or brings samples is free, as is every stall. A sample begins only while
// it may; the last write of its updates comes six cycles after it.

`default_nettype none

module learn_control_properties (
    input wire clk,
    input wire rst,
    input wire load_valid,
    input wire load_last,
    input wire save_valid,
    input wire word_ready,
    input wire start_valid,
    input wire sample,                      // one begins, if it may
    input wire done,                        // it ends
    input wire order_busy,
    input wire here,
    input wire last,
    input wire start_made
);

    wire       load_ready, save_ready, word_valid, word_last, start_ready, free, has_network;
    wire       hosts, restart, step, writes, starting, takes_tail, draws, drawn;
    wire [2:0] tail;

    reg  started = 1'b0;
    reg  under_way;                         // a sample
    wire idle   = !under_way;
    wire begins = sample && free && idle;

    mlp_learn_control u_dut (
        .clk(clk), .rst(rst), .load_valid(load_valid), .load_ready(load_ready),
        .load_last(load_last), .save_valid(save_valid), .save_ready(save_ready),
        .word_valid(word_valid), .word_ready(word_ready), .word_last(word_last),
        .start_valid(start_valid), .start_ready(start_ready), .idle(idle),
        .order_busy(order_busy), .free(free), .has_network(has_network), .hosts(hosts),
        .restart(restart), .step(step), .here(here), .last(last), .writes(writes),
        .starting(starting), .start_made(start_made), .tail(tail), .takes_tail(takes_tail),
        .draws(draws), .drawn(drawn)
    );

    reg [2:0] since;                        // cycles since a sample was under way, 6 for more
    reg       stalled, stalled_last;
    reg       loading, saving, making;      // what was asked for and has not come to its end
    reg       behind, was_here;             // the walk has come to its end; it was at a master
    reg [2:0] words;                        // behind it
    reg       reset_before, ended_badly;
    reg [4:0] drawing;

    wire loads = load_valid && load_ready;
    wire saves = word_valid && word_ready;

    always @(posedge clk) begin
        started   <= 1'b1;
        under_way <= !rst && (begins || (under_way && !done));
        since     <= under_way ? 3'd0 : since == 3'd6 ? since : since + 3'd1;
        stalled      <= word_valid && !word_ready && !rst;
        stalled_last <= word_last;
        reset_before <= rst;
        was_here     <= hosts && here && !step && !rst;
        ended_badly  <= !rst && loads && load_last && !(behind && words == 3'd4);
        saving  <= !rst && ((save_valid && save_ready) || (saving && !(saves && word_last)));
        making  <= !rst && ((start_valid && start_ready) || (making && !drawn));
        loading <= !rst && loads ? !load_last : !rst && loading;
        behind  <= hosts && (behind || (step && last));
        words   <= !hosts ? 3'd0 : behind && (loads || saves) ? words + 3'd1 : words;
        drawing <= draws ? drawing + 5'd1 : 5'd0;

        if (!started)
            assume (rst);
        else begin
            assume (here || !was_here);
            one_at_a_time: assert (
                load_ready + (save_ready && save_valid) + (start_ready && start_valid)
                + (begins && idle) + word_valid <= 1);
            waits_for_the_last_write: assert (!hosts || (idle && since == 3'd6));
            samples_have_a_network: assert (!free || has_network);
            no_sample_beside_the_host: assert (!(free && (hosts || draws || drawn)));
            writes_where_the_walk_is: assert (!writes || (hosts && here) || loading);
            if (stalled)
                stable_while_stalled: assert (word_valid && word_last == stalled_last);
            if (reset_before || ended_badly)
                has_none_behind_a_broken_load: assert (!has_network);
            if (making)
                has_none_before_its_start_ends: assert (!has_network && !word_valid && !load_ready);
            saves_when_asked: assert (!word_valid || saving);
            saves_five_words_more: assert (!word_valid || word_last == (behind && words == 3'd4));
            draws_16_steps: assert (!drawn || drawing == 5'd16);
        end
    end

    wire unused = &{1'b0, restart, starting, tail, takes_tail};

endmodule

`default_nettype wire
