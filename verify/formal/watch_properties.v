// SPDX-License-Identifier: MIT
// watch_properties - mlp_watch believes no block whose results are not those of its samples
//
// The core between the two streams is free: it takes, gives, loses and repeats what it likes. It is
// offered nothing while not `open`, and gives nothing while `lost`, when it is reset.

`default_nettype none

module watch_properties #(
    parameter BEATS_IN  = 2,
    parameter BEATS_OUT = 2,
    parameter INDEX_W   = 1,
    parameter WAIT      = 3
) (
    input wire clk,
    input wire rst,
    input wire offered,
    input wire in_ready,
    input wire in_last,
    input wire answers,
    input wire out_ready,
    input wire out_last
);

    wire               open, done, lost;
    wire [INDEX_W-1:0] index;
    wire               in_valid  = offered && open;
    wire               out_valid = answers && !lost;

    mlp_watch #(
        .BEATS_IN(BEATS_IN), .BEATS_OUT(BEATS_OUT), .INDEX_W(INDEX_W), .WAIT(WAIT)
    ) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_last(in_last),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last),
        .open(open), .index(index), .done(done), .lost(lost)
    );

    wire take = in_valid && in_ready;
    wire give = out_valid && out_ready;

    reg       started = 1'b0;
    reg [7:0] in_beat, out_beat;    // of what is under way, BEATS for too many
    reg [7:0] under_way;            // samples without a result
    reg [7:0] results;              // of this block
    reg       any;                  // a sample of this block
    reg       odd;                  // a beat of this block is none that was due
    reg       was_odd;              // that was known a cycle ago
    reg       stuck;                // a beat was offered in the last cycle, and not taken
    reg [7:0] rest;                 // cycles in which something is to come, and nothing moves

    wire sample = take && in_last && in_beat == BEATS_IN - 1;
    wire result = give && out_last && out_beat == BEATS_OUT - 1;
    wire bad    = give && (under_way_now == 0 || out_last != (out_beat_now == BEATS_OUT - 1));

    // A block that is done leaves nothing to the next one but the beats of a sample.
    wire [7:0] under_way_now = done ? 8'd0 : under_way;
    wire [7:0] results_now   = done ? 8'd0 : results;
    wire [7:0] out_beat_now  = done ? 8'd0 : out_beat;
    wire       any_now       = any && !done;
    wire       waits         = !take && !out_valid && (in_valid || any_now);

    always @(posedge clk) begin
        started <= 1'b1;
        if (rst || lost)
            in_beat <= 8'd0;
        else if (take)
            in_beat <= in_last ? 8'd0 : in_beat == BEATS_IN ? in_beat : in_beat + 1'b1;
        was_odd <= odd && !done && !rst;
        if (rst) begin
            out_beat  <= 8'd0;
            under_way <= 8'd0;
            results   <= 8'd0;
            any       <= 1'b0;
            odd       <= 1'b0;
            rest      <= 8'd0;
            stuck     <= 1'b0;
        end else begin
            out_beat  <= !give ? out_beat_now : out_last ? 8'd0 : out_beat_now + 1'b1;
            under_way <= under_way_now + sample - (give && out_last && under_way_now != 0);
            results   <= results_now + (give && out_last);
            any       <= any_now || sample;
            odd       <= (odd && !done) || bad;
            rest      <= !waits ? 8'd0 : done ? 8'd1 : rest + 1'b1;
            stuck     <= in_valid && !in_ready;
        end
    end

    always @(posedge clk) begin
        if (!started)
            assume (rst);
        else begin
            believes_no_wrong_block: assert (!(done && !lost) || (under_way == 0 && any && !odd));
            nothing_sound_is_lost: assert (!lost || odd || (rest == WAIT && (under_way != 0 || stuck)));
            lost_is_done: assert (!lost || done);
            ends_at_rest: assert (rest < WAIT || done);
            ends_at_once: assert (!was_odd || done);
            numbers_results: assert (done || index == results[INDEX_W-1:0]);
            no_more_than_a_block: assert (!in_valid || under_way_now + results_now < 1 << INDEX_W
                                          || odd);
        end
    end

endmodule

`default_nettype wire
